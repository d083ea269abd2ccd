//! Rollups that are accepted, and what is said of them.

use zkwhirl_job::{
    Request, Word,
    reply::{Bundle, NativeForm, ReplyShape, fields},
};
use zkwhirl_prover::native::{Rollup, Txs};

use crate::stage::{ONE, Stage, TWO};

/// Every step is accepted by the gate, and the final buffer by itself.
fn accepted(stage: &Stage) -> Rollup {
    let verifier = stage.verifier();
    verifier.verify(&stage.claim.0, &stage.claim.1).unwrap();
    for (request, reply) in &stage.inners {
        let shape = ReplyShape::of(request.kind(), stage.sizes);
        shape.check_native(request.kind(), reply).unwrap();
        verifier.verify(request, reply).unwrap();
    }
    let root = Request::RootRollup(Box::new(stage.root.clone()));
    verifier.verify(&root, &stage.reply).unwrap();
    let verification = Stage::verification(&stage.reply);
    let last = stage.prove(&verification);
    assert_eq!(last, stage.reply);
    verifier.verify(&verification, &last).unwrap();
    verifier.verify_rollup(&last).unwrap()
}

fn whats(rollup: &Rollup) -> Vec<(&str, String)> {
    let pieces = rollup.pieces.iter();
    let whats = pieces.map(|piece| (piece.what.as_str(), piece.circuit.to_string()));
    whats.collect()
}

#[test]
fn a_rollup_of_one_tx() {
    let rollup = accepted(&ONE);
    let circuits = whats(&rollup);
    let circuits: Vec<(&str, &str)> = circuits.iter().map(|(w, c)| (*w, &c[..])).collect();
    assert_eq!(
        circuits,
        [
            ("the root rollup", "root-rollup/poseidon/1/1"),
            ("inner rollup 0: the tx rollup", "tx-rollup/poseidon/1"),
            ("inner rollup 0: the client of tx 0", "claim/poseidon"),
        ]
    );
    assert_eq!((rollup.sizes, rollup.rollup_id), (ONE.sizes, 1));
    let claim = Txs { all: 1, covered: 1 };
    assert_eq!(rollup.txs().into_iter().collect::<Vec<_>>(), [(6, claim)]);
}

#[test]
fn a_rollup_of_two_by_two() {
    let rollup = accepted(&TWO);
    let claims = Txs { all: 1, covered: 1 };
    let sends = Txs { all: 2, covered: 0 };
    let txs: Vec<_> = rollup.txs().into_iter().collect();
    assert_eq!(txs, [(3, sends), (6, claims)]);
    assert_eq!(rollup.inners.len(), 2);
    assert_eq!(whats(&rollup).len(), 1 + 2 + 1);

    // The broadcast data, word by word where it is not a root.
    let bundle = Bundle::parse(&TWO.reply).unwrap();
    let header = &bundle.broadcast[..142];
    assert_eq!(header[..3], [1, 4, 8].map(Word::from));
    assert_eq!(header[91], Word::from(8), "two fees of three, one of two");
    assert_eq!(header[140], TWO.root.rollup_beneficiary);
    assert_eq!(header[141], Word::from(2));
    for (at, (_, reply)) in TWO.inners.iter().enumerate() {
        assert_eq!(bundle.inner_reply(at), *reply);
        let published = fields(reply, 108 + 16).unwrap();
        assert_eq!(published[108..], bundle.broadcast[142 + 16 * at..][..16]);
    }
}

#[test]
fn an_inner_rollup_carries_the_proof_of_its_claim() {
    let inner = Bundle::parse(&TWO.reply).unwrap().inners.swap_remove(0);
    assert_eq!(inner.tail.form, NativeForm::TxRollup);
    let (_, claim) = &TWO.claim;
    assert_eq!((inner.tail.vks.len(), inner.tail.proofs.len()), (2, 2));
    assert!(claim.ends_with(&inner.tail.proofs[1]));
    assert_eq!(inner.tail.words.len(), 1 + 2 * 9 + 1);
    assert_eq!(inner.tail.words[19], Word::from(1), "tx 0 is carried");
}
