//! Rollups that are accepted, and what is said of them.

use zkwhirl_job::{
    Request, Word,
    reply::{Bundle, NativeForm, ReplyShape, fields},
};
use zkwhirl_prover::native::{TxCount, VerifiedRollup};

use super::stage::{ONE, Stage, TWO};

/// Every step is accepted by the gate, and the final buffer by itself.
fn accepted(stage: &Stage) -> VerifiedRollup {
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

fn whats(rollup: &VerifiedRollup) -> Vec<(&str, String)> {
    let proofs = rollup.proofs.iter();
    let whats = proofs.map(|proof| (proof.name.as_str(), proof.circuit.to_string()));
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
            ("root rollup", "root-rollup/poseidon/1/1"),
            ("inner rollup 0: tx rollup", "tx-rollup/poseidon/1"),
            ("inner rollup 0: client proof of tx 0", "claim/poseidon"),
        ]
    );
    assert_eq!((rollup.sizes, rollup.rollup_id), (ONE.sizes, 1));
    let claim = TxCount { all: 1, covered: 1 };
    assert_eq!(rollup.txs().into_iter().collect::<Vec<_>>(), [(6, claim)]);
}

#[test]
fn a_rollup_of_two_by_two() {
    let rollup = accepted(&TWO);
    let one = TxCount { all: 1, covered: 1 };
    let txs: Vec<_> = rollup.txs().into_iter().collect();
    assert_eq!(txs, [(4, one), (5, one), (6, one)]);
    assert_eq!(rollup.inners.len(), 2);
    let circuits = whats(&rollup);
    let circuits: Vec<(&str, &str)> = circuits.iter().map(|(w, c)| (*w, &c[..])).collect();
    let (segment, notes) = ("tx-segment/poseidon/1/2", "tx-notes/poseidon/2");
    assert_eq!(
        circuits,
        [
            ("root rollup", "root-rollup/poseidon/2/2"),
            ("inner rollup 0: segment 1 of 2", segment),
            ("inner rollup 0: segment 2 of 2", segment),
            ("inner rollup 0: notes", notes),
            ("inner rollup 0: client proof of tx 0", "claim/poseidon"),
            (
                "inner rollup 0: client proof of tx 1",
                "join-split/poseidon"
            ),
            ("inner rollup 1: segment", segment),
            ("inner rollup 1: notes", notes),
            ("inner rollup 1: client proof of tx 0", "account/poseidon"),
        ]
    );

    let bundle = Bundle::parse(&TWO.reply).unwrap();
    assert_eq!(bundle.broadcast, TWO.broadcast);
    for (at, (_, reply)) in TWO.inners.iter().enumerate() {
        assert_eq!(bundle.inner_reply(at), *reply);
        let published = fields(reply, 108 + 16).unwrap();
        assert_eq!(published[108..], bundle.broadcast[142 + 16 * at..][..16]);
    }
}

#[test]
fn an_inner_rollup_carries_the_proofs_of_its_clients() {
    for (stage, form, own_keys, own_proofs, txs, seams) in [
        (&ONE, NativeForm::TxRollup, 1, 1, 1, 0),
        (&TWO, NativeForm::TxRollupChain, 2, 3, 2, 2),
    ] {
        let tail = Bundle::parse(&stage.reply)
            .unwrap()
            .inners
            .swap_remove(0)
            .tail;
        assert_eq!(tail.form, form);
        // Each of the clients has a circuit of its own.
        assert_eq!(
            (tail.vks.len(), tail.proofs.len()),
            (own_keys + txs, own_proofs + txs)
        );
        assert!(stage.claim.1.ends_with(&tail.proofs[own_proofs]));
        assert_eq!(tail.words.len(), 1 + 9 * txs + 1 + seams);
        let all = (1 << txs) - 1;
        assert_eq!(tail.words[1 + 9 * txs], Word::from(all), "all are carried");
    }
}
