//! The tail of a native reply: round trips of valid tails, rejection of others.

use proptest::prelude::*;
use zkwhirl_job::{
    Word,
    reply::{MAX_PROOFS, MAX_VKS, MAX_WORDS, NativeForm, NativeProof, SINGLE_TAIL_BYTES, SuiteTag},
};

fn tail() -> NativeProof {
    NativeProof {
        suite: SuiteTag::Poseidon,
        form: NativeForm::TxRollup,
        vks: vec![[7; 32], [8; 32]],
        words: vec![Word([9; 32]); 3],
        proofs: vec![[1; 128], [2; 128]],
    }
}

#[track_caller]
fn refusal(bytes: &[u8]) -> String {
    NativeProof::parse(bytes).unwrap_err().to_string()
}

#[test]
fn a_tail_round_trips_in_the_documented_layout() {
    let mut expected = b"zkW1\x01\x01\x00\x02\x00\x00\x00\x03\x00\x00\x00\x02".to_vec();
    expected.extend([7; 32]);
    expected.extend([8; 32]);
    expected.extend([9; 96]);
    expected.extend([1; 128]);
    expected.extend([2; 128]);
    assert_eq!(expected.len(), 16 + 2 * 32 + 3 * 32 + 2 * 128);
    assert_eq!(tail().to_bytes(), expected);
    assert_eq!(NativeProof::parse(&expected), Ok(tail()));
    let single = NativeProof::single(SuiteTag::Pedersen, [7; 32], [1; 128]);
    assert_eq!(single.to_bytes().len(), SINGLE_TAIL_BYTES);
    assert_eq!(NativeProof::parse(&single.to_bytes()), Ok(single));
}

#[test]
fn any_other_length_is_refused() {
    let bytes = tail().to_bytes();
    for end in 0..bytes.len() {
        let error = refusal(&bytes[..end]);
        let length = format!("a native proof of {end} bytes must have ");
        assert!(error.starts_with(&length), "{error}");
    }
    let longer = [&bytes[..], &[0]].concat();
    let why = "a native proof of 433 bytes must have 432";
    assert_eq!(refusal(&longer), why);
}

#[test]
fn a_header_without_meaning_is_refused_by_name() {
    let changed = |at: usize, to: u8| {
        let mut changed = tail().to_bytes().to_vec();
        changed[at] = to;
        refusal(&changed)
    };
    let magic = "no native proof follows the published fields (it must start with \"zkW1\")";
    assert_eq!(changed(0, 0), magic);
    let vks = format!("from 1 to {MAX_VKS}");
    let words = format!("from 0 to {MAX_WORDS}");
    let proofs = format!("from 1 to {MAX_PROOFS}");
    for (at, to, field, got, must) in [
        (4, 2, "suite", 2, "0 or 1"),
        (5, 4, "form", 4, "from 0 to 3"),
        (5, 0, "number of verification keys", 2, "1"),
        (7, 0, "number of verification keys", 0, &vks),
        (7, 17, "number of verification keys", 17, &vks),
        (9, 1, "number of words", 65_539, &words),
        (15, 0, "number of proofs", 0, &proofs),
        (12, 255, "number of proofs", 4_278_190_082_u32, &proofs),
    ] {
        let why = format!("a native proof's {field} is {got}, must be {must}");
        assert_eq!(changed(at, to), why);
    }
    let why = "a native proof of 432 bytes must have 560";
    assert_eq!(changed(15, 3), why);
}

#[test]
fn a_single_proof_has_no_words() {
    let mut single = NativeProof::single(SuiteTag::Poseidon, [7; 32], [1; 128]);
    single.words.push(Word::ZERO);
    let why = "a native proof's number of words is 1, must be 0";
    assert_eq!(refusal(&single.to_bytes()), why);
    single.words.clear();
    single.proofs.push([2; 128]);
    let why = "a native proof's number of proofs is 2, must be 1";
    assert_eq!(refusal(&single.to_bytes()), why);
}

proptest! {
    #[test]
    fn what_is_parsed_is_written_again(
        header in prop::array::uniform12(0u8..4),
        body in prop::collection::vec(any::<u8>(), 0..1024),
    ) {
        let bytes = [b"zkW1", &header[..], &body].concat();
        if let Ok(tail) = NativeProof::parse(&bytes) {
            prop_assert_eq!(tail.to_bytes(), bytes);
        }
    }

    #[test]
    fn every_tail_round_trips(vks in 1usize..17, words in 0usize..40, proofs in 1usize..9) {
        let tail = NativeProof {
            vks: vec![[3; 32]; vks],
            words: vec![Word([4; 32]); words],
            proofs: vec![[5; 128]; proofs],
            form: NativeForm::Rollup,
            suite: SuiteTag::Pedersen,
        };
        prop_assert_eq!(NativeProof::parse(&tail.to_bytes()), Ok(tail));
    }
}
