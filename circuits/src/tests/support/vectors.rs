//! Reads the test vectors.

use ark_bn254::Fr;
use serde_json::Value;
use zkwhirl_job::Request;
use zkwhirl_job::request::{ClaimRequest, RootRollupRequest, TxRollupRequest};

use crate::field;

/// Real inner rollups that have a reply, with their number of txs.
pub(crate) const TX_ROLLUPS: [(&str, u32); 3] = [
    ("valid_1x1_0_tx_rollup", 1),
    ("valid_2x2_0_tx_rollup", 2),
    ("valid_2x2_1_tx_rollup", 2),
];

/// Returns the bytes of a vector.
pub(crate) fn read(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/");
    std::fs::read(format!("{folder}{name}")).unwrap()
}

/// Reads a claim request.
pub(crate) fn claim(name: &str) -> ClaimRequest {
    match Request::parse(&read(name).into()).unwrap() {
        Request::Claim(request) => *request,
        other => panic!("{name} is a {}", other.kind()),
    }
}

/// Reads a tx rollup request.
pub(crate) fn tx_rollup(name: &str) -> TxRollupRequest {
    match Request::parse(&read(name).into()).unwrap() {
        Request::TxRollup(request) => *request,
        other => panic!("{name} is a {}", other.kind()),
    }
}

/// Reads a root rollup request.
pub(crate) fn root_rollup(name: &str) -> RootRollupRequest {
    match Request::parse(&read(name).into()).unwrap() {
        Request::RootRollup(request) => *request,
        other => panic!("{name} is a {}", other.kind()),
    }
}

/// Reads the first words of a reply.
pub(crate) fn reply(name: &str, count: usize) -> Vec<Fr> {
    let bytes = read(name);
    let words = bytes.chunks_exact(32).take(count);
    let words: Vec<Fr> = words
        .map(|word| field::from_word(word.try_into().unwrap()).unwrap())
        .collect();
    assert_eq!(words.len(), count);
    words
}

/// Reads a word of 64 hex digits.
pub(crate) fn word(value: &Value) -> [u8; 32] {
    let bytes = hex::decode(value.as_str().unwrap()).unwrap();
    bytes.try_into().unwrap()
}

/// Reads a word as an element.
pub(crate) fn element(value: &Value) -> Fr {
    field::from_word(&word(value)).unwrap()
}

/// Reads a list of elements.
pub(crate) fn elements(values: &Value) -> Vec<Fr> {
    values.as_array().unwrap().iter().map(element).collect()
}
