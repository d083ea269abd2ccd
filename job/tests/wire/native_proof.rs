//! The tail of a native reply: round trips, and everything that is none.

use proptest::prelude::*;
use zkwhirl_job::{
    Word,
    reply::{
        MAX_PROOFS, MAX_VKS, MAX_WORDS, NativeForm, NativeProof, NativeProofError,
        SINGLE_TAIL_BYTES, SuiteTag,
    },
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

#[test]
fn a_tail_round_trips() {
    let tail = tail();
    let bytes = tail.to_bytes();
    assert_eq!(bytes.len(), 16 + 2 * 32 + 3 * 32 + 2 * 128);
    assert_eq!(NativeProof::parse(&bytes), Ok(tail));
    let single = NativeProof::single(SuiteTag::Pedersen, [7; 32], [1; 128]);
    assert_eq!(single.to_bytes().len(), SINGLE_TAIL_BYTES);
    assert_eq!(NativeProof::parse(&single.to_bytes()), Ok(single));
}

#[test]
fn the_layout_is_the_documented_one() {
    let mut expected = b"zkW1\x01\x01\x00\x02\x00\x00\x00\x03\x00\x00\x00\x02".to_vec();
    expected.extend([7; 32]);
    expected.extend([8; 32]);
    expected.extend([9; 96]);
    expected.extend([1; 128]);
    expected.extend([2; 128]);
    assert_eq!(tail().to_bytes(), expected);
}

#[test]
fn any_other_length_is_refused() {
    let bytes = tail().to_bytes();
    for end in 0..bytes.len() {
        let error = NativeProof::parse(&bytes[..end]).unwrap_err();
        assert!(matches!(error, NativeProofError::Length { .. }), "{end}");
    }
    let longer = [&bytes[..], &[0]].concat();
    let text = NativeProof::parse(&longer).unwrap_err().to_string();
    assert_eq!(text, "a native proof of 433 bytes must have 432");
}

#[test]
fn a_header_without_meaning_is_refused_by_name() {
    let must = |most: usize| format!("from 1 to {most}");
    for (at, to, text) in [
        (
            0,
            0,
            "no native proof follows the published fields (it must start with \"zkW1\")".to_owned(),
        ),
        (
            4,
            2,
            "a native proof's suite is 2, must be 0 or 1".to_owned(),
        ),
        (
            5,
            4,
            "a native proof's form is 4, must be from 0 to 3".to_owned(),
        ),
        (
            5,
            0,
            "a native proof's number of verification keys is 2, must be 1".to_owned(),
        ),
        (
            7,
            0,
            format!(
                "a native proof's number of verification keys is 0, must be {}",
                must(MAX_VKS)
            ),
        ),
        (
            7,
            17,
            format!(
                "a native proof's number of verification keys is 17, must be {}",
                must(MAX_VKS)
            ),
        ),
        (
            9,
            1,
            format!("a native proof's number of words is 65539, must be from 0 to {MAX_WORDS}"),
        ),
        (
            15,
            0,
            format!(
                "a native proof's number of proofs is 0, must be {}",
                must(MAX_PROOFS)
            ),
        ),
        (
            12,
            255,
            format!(
                "a native proof's number of proofs is 4278190082, must be {}",
                must(MAX_PROOFS)
            ),
        ),
        (
            15,
            3,
            "a native proof of 432 bytes must have 560".to_owned(),
        ),
    ] {
        let mut changed = tail().to_bytes().to_vec();
        changed[at] = to;
        assert_eq!(NativeProof::parse(&changed).unwrap_err().to_string(), text);
    }
}

#[test]
fn a_single_proof_has_no_words() {
    let mut single = NativeProof::single(SuiteTag::Poseidon, [7; 32], [1; 128]);
    single.words.push(Word::ZERO);
    assert_eq!(
        NativeProof::parse(&single.to_bytes())
            .unwrap_err()
            .to_string(),
        "a native proof's number of words is 1, must be 0"
    );
    single.words.clear();
    single.proofs.push([2; 128]);
    assert_eq!(
        NativeProof::parse(&single.to_bytes())
            .unwrap_err()
            .to_string(),
        "a native proof's number of proofs is 2, must be 1"
    );
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
