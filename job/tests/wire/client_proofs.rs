//! Requests whose txs carry native client proofs, alone and among PLONK ones.

use zkwhirl_job::{
    Request, Sizes,
    reply::{NativeProof, SuiteTag},
    request::{NATIVE_CLIENT_PROOF_BYTES, TxRollupRequest},
};
use zkwhirl_testkit::vector;

use crate::vectors::tells_its_own_length;

/// A request of two txs, the second with a native client proof.
fn mixed() -> TxRollupRequest {
    let Ok(Request::TxRollup(mut request)) =
        Request::parse(&vector("valid_2x2_0_tx_rollup_request.bin"))
    else {
        panic!("the file holds a tx rollup")
    };
    let proof = NativeProof::single(SuiteTag::Poseidon, [7; 32], [8; 128]);
    request.txs[1].tail = proof.to_bytes();
    *request
}

#[test]
fn native_and_plonk_client_proofs_stand_side_by_side() {
    let request = mixed();
    assert_eq!(NATIVE_CLIENT_PROOF_BYTES, 688);
    assert!(!request.txs[0].is_native());
    assert!(request.txs[1].is_native());
    let bytes = request.to_bytes();
    tells_its_own_length("a native client proof", &bytes);
    let parsed = Request::parse(&bytes).unwrap();
    assert_eq!(parsed, Request::TxRollup(Box::new(request)));
}

#[test]
fn the_place_of_an_error_follows_the_proofs_lengths() {
    let request = Request::TxRollup(Box::new(mixed()));
    let error = request.validate(Sizes::new(3, 2).unwrap());
    let error = error.unwrap_err().to_string();
    // 1,328 bytes before the same place of the all-PLONK request, at 10,460.
    assert!(error.ends_with("(byte 9132)"), "{error}");
}
