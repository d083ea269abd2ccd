//! Distinct requests of any size with valid layouts and invented values, which
//! only the mock prover accepts.

use bytes::Bytes;
use zkwhirl_job::{
    Word,
    request::{
        ClaimNote, ClaimRequest, ClientProof, DATA_TREE_DEPTH, DEFI_TREE_DEPTH,
        DefiInteractionNote, MerklePath, NULL_TREE_DEPTH, ROOTS_TREE_DEPTH, TxRollupRequest,
    },
};

/// Number of transactions per inner rollup in the benchmark, as in production.
pub(super) const TXS: u32 = 28;

/// Makes the `number`th request of about `bytes` bytes: a claim below 10 kB, else
/// an inner rollup of as many txs as fit.
pub(super) fn request(number: u32, bytes: u32) -> Bytes {
    if bytes < 10_000 {
        return claim(number);
    }
    // 38,716 bytes a tx; see the layout's formula in `TxRollupRequest`.
    let txs = (bytes / 38_716).clamp(1, TXS);
    rollup(number, txs as usize)
}

fn claim(number: u32) -> Bytes {
    ClaimRequest {
        data_root: word(number, 1),
        defi_root: word(number, 2),
        claim_note_index: number,
        claim_note_path: path(number, DATA_TREE_DEPTH),
        claim_note: ClaimNote {
            deposit_value: Word::from(1),
            bridge_call_data: Word::from(1),
            defi_interaction_nonce: 1,
            fee: Word::ZERO,
            value_note_partial_commitment: word(number, 3),
            input_nullifier: word(number, 4),
        },
        defi_note_index: 0,
        defi_note_path: path(number, DEFI_TREE_DEPTH),
        defi_note: DefiInteractionNote {
            bridge_call_data: Word::from(1),
            total_input_value: Word::from(1),
            total_output_value_a: Word::from(1),
            total_output_value_b: Word::ZERO,
            nonce: 1,
            result: true,
        },
        output_value_a: Word::from(1),
        output_value_b: Word::ZERO,
    }
    .to_bytes()
}

/// Number of tree levels below the root with distinct nodes: about a million
/// leaves. Lower nodes are all equal, as in a real request, of whose 33,948 words
/// 8,387 are distinct; in these requests slightly fewer are.
const FILLED: u64 = 20;

fn rollup(number: u32, txs: usize) -> Bytes {
    let client = |tx: u64| {
        let tail = (0..47).map(|place| word(number, (tx << 8) + place + (1 << 20)).0);
        ClientProof {
            public_inputs: std::array::from_fn(|place| word(number, (tx << 8) + place as u64)),
            tail: tail.collect::<Vec<_>>().concat().into(),
        }
    };
    let paths = |depth, count: usize| -> Vec<MerklePath> {
        let trees = u64::from(depth) << 24;
        let path = |at| filled_path(number, trees + ((at as u64) << 10), depth);
        (0..count).map(path).collect()
    };
    TxRollupRequest {
        rollup_id: number,
        data_start_index: 0,
        txs: (0..txs as u64).map(client).collect(),
        old_data_root: word(number, 1),
        new_data_root: word(number, 2),
        old_data_path: path(number, DATA_TREE_DEPTH),
        linked_commitment_paths: paths(DATA_TREE_DEPTH, txs),
        linked_commitment_indices: vec![0; txs],
        old_null_root: word(number, 3),
        new_null_roots: vec![word(number, 4); 2 * txs],
        old_null_paths: paths(NULL_TREE_DEPTH, 2 * txs + usize::from(txs < TXS as usize)),
        data_roots_root: word(number, 5),
        data_roots_paths: paths(ROOTS_TREE_DEPTH, txs),
        data_roots_indices: vec![0; txs],
        new_defi_root: word(number, 6),
        bridge_call_datas: vec![word(number, 7)],
        asset_ids: vec![Word::ZERO],
    }
    .to_bytes()
}

fn filled_path(number: u32, place: u64, depth: u32) -> MerklePath {
    let node = |level| word(number, place + level);
    let pair = |level| match word(u32::MAX, level) {
        empty if level + FILLED < u64::from(depth) => (empty, empty),
        _ => (node(level), node(level + 512)),
    };
    (0..u64::from(depth)).map(pair).collect()
}

fn path(number: u32, depth: u32) -> MerklePath {
    let pair = |level| (word(number, level), word(number, level + 1000));
    (0..u64::from(depth)).map(pair).collect()
}

/// A canonical field element that looks like a hash and cannot be compressed.
fn word(number: u32, place: u64) -> Word {
    let mut state = (u64::from(number) << 32 | place).wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut bytes = [0; 32];
    for chunk in bytes.chunks_exact_mut(8) {
        // SplitMix64 (Steele, Lea, Flood 2014).
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        chunk.copy_from_slice(&(z ^ (z >> 31)).to_be_bytes());
    }
    bytes[0] &= 0x1f;
    Word(bytes)
}

#[cfg(test)]
mod tests {
    use zkwhirl_job::{Request, Sizes};

    use super::*;

    #[test]
    fn requests_are_valid_layouts_of_the_size_that_was_asked_for() {
        let sizes = Sizes::new(TXS, 32).unwrap();
        for (asked, got) in [(4_413, 4_413), (50_000, 57_432), (1_090_000, 1_086_376)] {
            let bytes = request(7, asked);
            assert_eq!(bytes.len(), got, "{asked}");
            Request::parse(&bytes).unwrap().validate(sizes).unwrap();
            assert_ne!(bytes, request(8, asked));
        }
    }
}
