//! What is refused, and with which words.

use bytes::Bytes;
use zkwhirl_circuits::Suite;
use zkwhirl_job::{
    Request, Sizes, Word,
    reply::{Bundle, NativeProof, NotVerified},
};

use super::stage::{ONE, Stage, TWO, refusal};

fn bundle(stage: &Stage) -> Bundle {
    Bundle::parse(&stage.reply).unwrap()
}

/// What the verifier of final buffers says of a changed bundle.
#[track_caller]
fn refused(stage: &Stage, change: impl FnOnce(&mut Bundle)) -> String {
    let mut bundle = bundle(stage);
    change(&mut bundle);
    let reply = bundle.to_bytes().unwrap();
    refusal(stage.verifier().verify_rollup(&reply))
}

#[test]
fn a_proof_of_something_else_is_named() {
    let fails = "the proof does not verify for its published fields";
    let other = |bundle: &mut Bundle| bundle.proof = bundle.inners[0].tail.proofs[0];
    assert_eq!(refused(&TWO, other), format!("root rollup: {fails}"));
    for (inner, proof, name) in [
        (0, 0, "segment 1 of 2"),
        (0, 1, "segment 2 of 2"),
        (0, 2, "notes"),
        (0, 3, "client proof of tx 0"),
        (0, 4, "client proof of tx 1"),
        (1, 0, "segment"),
        (1, 1, "notes"),
        (1, 2, "client proof of tx 0"),
    ] {
        let other = |bundle: &mut Bundle| bundle.inners[inner].tail.proofs[proof] = bundle.proof;
        let must = format!("inner rollup {inner}: {name}: {fails}");
        assert_eq!(refused(&TWO, other), must);
    }
    let none = |bundle: &mut Bundle| bundle.inners[1].tail.proofs[0] = [0xff; 128];
    assert_eq!(
        refused(&TWO, none),
        "inner rollup 1: segment: the proof is not three points of the curve's groups"
    );
}

#[test]
fn words_of_clients_are_bound_to_the_txs() {
    let fails = "inner rollup 0: tx rollup: the proof does not verify for its published fields";
    // Another fee, before the rollup.
    let fee = |bundle: &mut Bundle| bundle.inners[0].tail.words[1 + 2].0[31] ^= 1;
    assert_eq!(refused(&ONE, fee), fails);
    // A tx more or less, and proofs that are left out or made up.
    for n in [0, 2] {
        let count = |bundle: &mut Bundle| bundle.inners[0].tail.words[0] = Word::from(n);
        let error = refused(&ONE, count);
        assert!(error.starts_with("inner rollup 0: word "), "{error}");
        assert!(error.ends_with("is out of range"), "{error}");
    }
    let left_out = |bundle: &mut Bundle| bundle.inners[0].tail.words[10] = Word::ZERO;
    assert_eq!(
        refused(&ONE, left_out),
        "inner rollup 0: tx 0 has no native client proof"
    );
    let claimed = |bundle: &mut Bundle| {
        let proof = bundle.proof;
        bundle.inners[0].tail.proofs.push(proof);
    };
    assert_eq!(
        refused(&ONE, claimed),
        "inner rollup 0: 3 proofs, expected 2"
    );
}

#[test]
fn seams_of_a_chain_are_bound_to_its_pieces() {
    for seam in [20, 21] {
        let change = |bundle: &mut Bundle| bundle.inners[0].tail.words[seam] = Word::from(9);
        let error = refused(&TWO, change);
        assert!(
            error.starts_with("inner rollup 0: segment 1 of 2: "),
            "{error}"
        );
    }
    let missing = |bundle: &mut Bundle| bundle.inners[0].tail.words.truncate(21);
    assert!(refused(&TWO, missing).contains("too few or too many"));
    let largest = |bundle: &mut Bundle| bundle.domain_log2 += 1;
    let error = refused(&TWO, largest);
    assert!(
        error.contains("circuits of up to 2^19 rows, must be of up to 2^18"),
        "{error}"
    );
}

/// The words and proofs of a rollup whose client proofs were left out are in
/// order but for that.
#[test]
fn a_bundle_without_a_clients_proof_is_refused() {
    let mut bundle = bundle(&ONE);
    let tail = &mut bundle.inners[0].tail;
    tail.words[10] = Word::ZERO;
    (tail.vks, tail.proofs) = (vec![tail.vks[0]], vec![tail.proofs[0]]);
    let reply = bundle.to_bytes().unwrap();
    let error = refusal(ONE.verifier().verify_rollup(&reply));
    assert_eq!(error, "inner rollup 0: tx 0 has no native client proof");
    let root = Request::RootRollup(Box::new(ONE.root.clone()));
    let error = refusal(ONE.verifier().verify(&root, &reply));
    assert_eq!(error, "inner rollup 0 is not the request's");
}

#[test]
fn keys_of_others_are_refused() {
    let key = |bundle: &mut Bundle| bundle.vk = [9; 32];
    let error = refused(&ONE, key);
    assert!(
        error.starts_with("root rollup: the proof names verification key 0909"),
        "{error}"
    );
    assert!(error.ends_with("for root-rollup/poseidon/1/1"), "{error}");
    // A store without keys says nothing about the reply.
    let verifier = Stage::other_verifier(Suite::Poseidon, ONE.sizes);
    let error = verifier.verify_rollup(&ONE.reply).unwrap_err();
    let missing = "root rollup: there is no key for root-rollup/poseidon/1/1 yet".to_owned();
    assert_eq!(error, NotVerified::cannot_check(missing));
}

#[test]
fn a_reply_to_another_request_is_refused() {
    let verifier = TWO.verifier();
    let verify = |root: &zkwhirl_job::request::RootRollupRequest, reply: &Bytes| {
        let request = Request::RootRollup(Box::new(root.clone()));
        refusal(verifier.verify(&request, reply))
    };
    let mut other = TWO.root.clone();
    other.rollup_beneficiary = Word::from(1);
    assert!(verify(&other, &TWO.reply).starts_with("published field 140 is 0000"));
    // The same inner rollups, proved again.
    let mut again = TWO.root.clone();
    again.inner_proofs[1] = TWO.prove(&TWO.inners[1].0);
    assert_eq!(
        verify(&again, &TWO.reply),
        "inner rollup 1 is not the request's"
    );
    let short = TWO.reply.slice(..1000);
    assert!(verify(&TWO.root, &short).starts_with("the reply has 1000 bytes"));

    let mut changed = TWO.reply.to_vec();
    changed[77] ^= 1;
    let error = verifier.verify(&Stage::verification(&TWO.reply), &changed.into());
    let text = "the reply differs from the verified rollup at byte 77";
    assert_eq!(refusal(error), text);
    let pedersen = Stage::other_verifier(Suite::Pedersen, TWO.sizes);
    let error = refusal(pedersen.verify_rollup(&TWO.reply));
    assert_eq!(
        error.to_string(),
        "the proofs are not of the pedersen suite"
    );
}

#[test]
fn the_engine_proves_no_root_rollup_over_a_bad_inner_proof() {
    let with = |at: usize, change: &dyn Fn(&mut Vec<u8>)| {
        let mut root = TWO.root.clone();
        let mut reply = root.inner_proofs[at].to_vec();
        change(&mut reply);
        root.inner_proofs[at] = reply.into();
        TWO.refusal(&Request::RootRollup(Box::new(root)))
    };
    let end = TWO.inners[1].1.len();
    // Its last proof is the client's, the one before is its own.
    for (proof, name) in [(1, "client proof of tx 0"), (2, "notes")] {
        let flipped = with(1, &|reply| reply[end - 128 * proof + 127] ^= 1);
        assert!(
            flipped.starts_with(&format!("inner rollup 1: {name}: ")),
            "{flipped}"
        );
    }
    let tail = 32 * (108 + 16);
    let plonk = with(1, &|reply| {
        reply.truncate(tail);
        reply.resize(5984, 7);
    });
    assert!(
        plonk.starts_with("inner rollup 1: no native proof follows the published fields"),
        "{plonk}"
    );
    let swapped = {
        let mut root = TWO.root.clone();
        root.inner_proofs.swap(0, 1);
        TWO.refusal(&Request::RootRollup(Box::new(root)))
    };
    assert_eq!(
        swapped,
        "inner rollup 1: data start index does not follow the inner rollup before"
    );
    let mut verification = TWO.reply.to_vec();
    let end = verification.len();
    verification[end - 1] ^= 1;
    let refused = TWO.refusal(&Stage::verification(&verification.into()));
    assert!(
        refused.starts_with("inner rollup 1: client proof of tx 0: "),
        "{refused}"
    );
}

#[test]
fn the_engine_proves_no_tx_rollup_over_a_bad_client_proof() {
    let Request::TxRollup(inner) = &ONE.inners[0].0 else {
        panic!("inner rollups are tx rollups");
    };
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut inner = inner.clone();
        let mut tail = inner.txs[0].tail.to_vec();
        change(&mut tail);
        inner.txs[0].tail = tail.into();
        ONE.refusal(&Request::TxRollup(inner))
    };
    let flipped = with(&|tail| *tail.last_mut().unwrap() ^= 1);
    assert!(
        flipped.starts_with("client proof of tx 0: the proof"),
        "{flipped}"
    );
    let suite = with(&|tail| tail[4] = 0);
    assert_eq!(
        suite,
        "tx 0: client proof: it is no single proof of the poseidon suite"
    );
    let magic = with(&|tail| tail[0] = 0);
    assert!(
        magic.starts_with("tx 0: client proof: no native proof"),
        "{magic}"
    );
    // The gate refuses a reply that leaves a carried proof out.
    let (request, reply) = &ONE.inners[0];
    let fields = 32 * (108 + 8);
    let mut tail = NativeProof::parse(&reply[fields..]).unwrap();
    tail.words[10] = Word::ZERO;
    tail.vks.truncate(1);
    tail.proofs.truncate(1);
    let weaker = [&reply[..fields], &tail.to_bytes()].concat();
    let error = refusal(ONE.verifier().verify(request, &weaker.into()));
    assert_eq!(error, "tx 0 has no native client proof");
}

#[test]
fn sizes_that_no_circuit_has_are_refused() {
    let sizes = Sizes::new(1, 33).unwrap();
    let verifier = Stage::other_verifier(Suite::Poseidon, sizes);
    let root = Request::RootRollup(Box::new(ONE.root.clone()));
    let error = refusal(verifier.verify(&root, &ONE.reply));
    assert_eq!(error, "no circuit proves rollups of 1×33: at most 28×32");
}
