//! Tests of accepted rollups, and of the verifier's report about them.

use zkwhirl_job::{
    Request,
    reply::{Bundle, ReplyShape, fields},
};
use zkwhirl_prover::native::{TxCount, VerifiedRollup};

use super::proved::{ONE, ProvedRollup, TWO, verification};

/// Asserts that the gate accepts every reply, and verifies the final buffer alone.
fn accepted(rollup: &ProvedRollup) -> VerifiedRollup {
    let verifier = &rollup.verifier;
    for (request, reply) in &rollup.claims {
        verifier.verify(request, reply).unwrap();
    }
    for inner in &rollup.inners {
        let (request, reply) = (&inner.request, &inner.receipt.reply);
        let shape = ReplyShape::of(request.kind(), rollup.setting.sizes);
        shape.check_native(request.kind(), reply).unwrap();
        verifier.verify(request, reply).unwrap();
    }
    let root = rollup.root();
    let request = Request::RootRollup(Box::new(root.request.clone()));
    verifier.verify(&request, &root.reply).unwrap();
    let verification = verification(&root.reply);
    let last = rollup.prove(&verification);
    assert_eq!(last, root.reply);
    verifier.verify(&verification, &last).unwrap();
    verifier.verify_rollup(&last).unwrap()
}

/// Asserts the names of the rollup's proofs and the names of their circuits.
#[track_caller]
fn has_proofs(rollup: &VerifiedRollup, proofs: &[(&str, &str)]) {
    let circuits = rollup.proofs.iter().map(|proof| proof.circuit.to_string());
    let circuits: Vec<String> = circuits.collect();
    let names = rollup.proofs.iter().map(|proof| &*proof.name);
    let own: Vec<_> = names
        .zip(circuits.iter().map(|circuit| &**circuit))
        .collect();
    assert_eq!(own, proofs);
}

#[test]
fn a_rollup_of_one_tx() {
    let rollup = accepted(&ONE);
    let (client, claim) = ("inner rollup 0: client proof of tx 0", "claim/poseidon");
    has_proofs(
        &rollup,
        &[
            ("root rollup", "root-rollup/poseidon/1/1"),
            ("inner rollup 0: tx rollup", "tx-rollup/poseidon/1"),
            (client, claim),
        ],
    );
    assert_eq!((rollup.sizes, rollup.rollup_id), (ONE.setting.sizes, 1));
    let claim = TxCount { all: 1, covered: 1 };
    assert_eq!(rollup.txs.into_iter().collect::<Vec<_>>(), [(6, claim)]);
}

#[test]
fn a_rollup_of_two_by_two() {
    let rollup = accepted(&TWO);
    let (segment, notes) = ("tx-segment/poseidon/1/2", "tx-notes/poseidon/2");
    let (second, payment) = (
        "inner rollup 0: client proof of tx 1",
        "join-split/poseidon",
    );
    has_proofs(
        &rollup,
        &[
            ("root rollup", "root-rollup/poseidon/2/2"),
            ("inner rollup 0: segment 1 of 2", segment),
            ("inner rollup 0: segment 2 of 2", segment),
            ("inner rollup 0: notes", notes),
            ("inner rollup 0: client proof of tx 0", "claim/poseidon"),
            (second, payment),
            ("inner rollup 1: segment", segment),
            ("inner rollup 1: notes", notes),
            ("inner rollup 1: client proof of tx 0", "account/poseidon"),
        ],
    );
    let one = TxCount { all: 1, covered: 1 };
    let txs: Vec<_> = rollup.txs.into_iter().collect();
    assert_eq!(txs, [(4, one), (5, one), (6, one)]);
    assert_eq!(rollup.inners, 2);

    let bundle = Bundle::parse(&TWO.root().reply).unwrap();
    assert_eq!(bundle.broadcast, TWO.root().broadcast);
    for (at, inner) in TWO.inners.iter().enumerate() {
        let reply = &inner.receipt.reply;
        assert_eq!(bundle.inner_reply(at), *reply);
        let published = fields(reply, 108 + 16).unwrap();
        assert_eq!(published[108..], bundle.broadcast[142 + 16 * at..][..16]);
    }
}
