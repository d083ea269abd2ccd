//! The broadcast data that an honest root rollup publishes, from its request
//! alone.

use bytes::Bytes;
use sha2::{Digest, Sha256};
use zkwhirl_circuits::{
    Suite, field,
    notes::DefiNote,
    published::{ASSETS, BRIDGES, NO_ASSET, TX_ROLLUP_HEADER, place},
};
use zkwhirl_job::{
    Sizes, Word,
    reply::{broadcast_bytes, fields, tx_rollup_fields},
    request::{DefiInteractionNote, RootRollupRequest},
};

/// Header words, then those of the transactions.
pub(crate) fn broadcast(suite: Suite, sizes: Sizes, request: &RootRollupRequest) -> Vec<Word> {
    let count = tx_rollup_fields(sizes.slots());
    let read = |reply: &Bytes| fields(reply, count).expect("inner replies have all fields");
    let inners: Vec<Vec<Word>> = request.inner_proofs.iter().map(read).collect();
    let (first, last) = (&inners[0], &inners[inners.len() - 1]);
    let number = |value: u32| Word::from(u64::from(value));
    let mut words = vec![
        number(request.rollup_id),
        number(sizes.rollup_slots()),
        first[place::DATA_START_INDEX],
        first[place::OLD_DATA_ROOT],
        last[place::NEW_DATA_ROOT],
        first[place::OLD_NULL_ROOT],
        last[place::NEW_NULL_ROOT],
        request.old_data_roots_root,
        request.new_data_roots_root,
        request.old_defi_root,
        request.new_defi_root,
    ];
    let none = Word::from(NO_ASSET);
    let mut bridges = request.bridge_call_datas.clone();
    bridges.resize(BRIDGES, Word::ZERO);
    let mut assets = request.asset_ids.clone();
    assets.resize(ASSETS, none);
    let sums = sums(&inners, &bridges, place::BRIDGES, place::DEPOSIT_SUMS);
    let fees = sums_of_assets(&inners, &assets);
    let notes = &request.defi_interaction_notes;
    let mut commitments: Vec<Word> = notes.iter().map(|note| commitment(suite, note)).collect();
    commitments.resize(BRIDGES, Word::ZERO);
    words.extend([bridges, sums, assets, fees, commitments].concat());
    words.push(notes_hash(notes));
    words.push(request.rollup_beneficiary);
    words.push(number(sizes.rollup_slots() / sizes.slots()));
    for inner in &inners {
        words.extend(&inner[TX_ROLLUP_HEADER..]);
    }
    words.resize(broadcast_bytes(sizes) / 32, Word::ZERO);
    words
}

fn sums_of_assets(inners: &[Vec<Word>], assets: &[Word]) -> Vec<Word> {
    let none = Word::from(NO_ASSET);
    let mut fees = sums(inners, assets, place::ASSETS, place::FEES);
    for (fee, asset) in fees.iter_mut().zip(assets) {
        if *asset == none {
            *fee = Word::ZERO;
        }
    }
    fees
}

/// Adds up what the inner rollups say of each of `keys`.
fn sums(inners: &[Vec<Word>], keys: &[Word], keys_at: usize, values_at: usize) -> Vec<Word> {
    let sum = |key: &Word| {
        let said = inners.iter().flat_map(|inner| {
            let entries = 0..keys.len();
            entries
                .filter(|entry| inner[keys_at + entry] == *key)
                .map(|entry| inner[values_at + entry].to_u64().expect("small values"))
        });
        if *key == Word::ZERO && keys_at == place::BRIDGES {
            return Word::ZERO;
        }
        Word::from(said.sum::<u64>())
    };
    keys.iter().map(sum).collect()
}

fn commitment(suite: Suite, note: &DefiInteractionNote) -> Word {
    let element = |word: &Word| field::from_word(&word.0).expect("a canonical word");
    let note = DefiNote {
        bridge: element(&note.bridge_call_data),
        total_input: element(&note.total_input_value),
        total_output_a: element(&note.total_output_value_a),
        total_output_b: element(&note.total_output_value_b),
        nonce: u64::from(note.nonce).into(),
        result: note.result.into(),
    };
    Word(field::to_word(&note.commit(suite)))
}

fn notes_hash(notes: &[DefiInteractionNote]) -> Word {
    let reduced = |bytes: &[u8]| field::to_word(&field::reduce(&Sha256::digest(bytes).into()));
    let hash = |place: usize| {
        let Some(note) = notes.get(place) else {
            return reduced(&[0; 192]);
        };
        let nonce = Word::from(u64::from(note.nonce));
        let result = Word::from(u64::from(note.result));
        let words = [
            note.bridge_call_data,
            nonce,
            note.total_input_value,
            note.total_output_value_a,
            note.total_output_value_b,
            result,
        ];
        reduced(&words.map(|word| word.0).concat())
    };
    let all: Vec<u8> = (0..BRIDGES).flat_map(hash).collect();
    Word(reduced(&all))
}
