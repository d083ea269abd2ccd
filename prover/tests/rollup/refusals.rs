//! What is refused, and with which words.

use bytes::Bytes;
use zkwhirl_circuits::Suite;
use zkwhirl_job::{
    Request, Sizes, Word,
    reply::{Bundle, NativeProof},
};
use zkwhirl_keystore::EmbeddedKeyStore;
use zkwhirl_prover::native::{NativeVerifier, VerifyError};

use crate::stage::{ONE, Stage, TWO};

fn bundle(stage: &Stage) -> Bundle {
    Bundle::parse(&stage.reply).unwrap()
}

/// What the verifier of final buffers says of a changed bundle.
#[track_caller]
fn refused(stage: &Stage, change: impl FnOnce(&mut Bundle)) -> String {
    let mut bundle = bundle(stage);
    change(&mut bundle);
    let reply = bundle.to_bytes().unwrap();
    let error = stage.verifier().verify_rollup(&reply).unwrap_err();
    assert!(matches!(error, VerifyError::Reply(_)), "{error}");
    error.to_string()
}

/// One bit in each word and proof of a final buffer, and in each byte of the
/// tail's header.
#[test]
fn any_bit_changed_anywhere_is_refused() {
    let verifier = ONE.verifier();
    let verification = Stage::verification(&ONE.reply);
    let tail = 32 * (142 + 8);
    let header = tail..tail + 16;
    let mut seed = 1u64;
    let mut places: Vec<usize> = header.clone().collect();
    places.extend((0..tail).step_by(32));
    places.extend((header.end..ONE.reply.len()).step_by(32));
    for place in places {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let draw = (seed >> 33) as usize;
        let within = if header.contains(&place) {
            0
        } else {
            draw % 32
        };
        let mut changed = ONE.reply.to_vec();
        changed[place + within] ^= 1 << (draw / 32 % 8);
        let changed = Bytes::from(changed);
        let error = verifier.verify_rollup(&changed).unwrap_err();
        assert!(
            matches!(error, VerifyError::Reply(_)),
            "byte {place}: {error}"
        );
        let root = Request::RootRollup(Box::new(ONE.root.clone()));
        verifier.verify(&root, &changed).unwrap_err();
        verifier.verify(&verification, &changed).unwrap_err();
    }
}

#[test]
fn a_proof_of_something_else_is_named() {
    let fails = "the proof does not verify for its published fields";
    let other = |bundle: &mut Bundle| bundle.proof = bundle.inners[0].tail.proofs[0];
    assert_eq!(refused(&TWO, other), format!("the root rollup: {fails}"));
    let inner = |bundle: &mut Bundle| bundle.inners[1].tail.proofs[0] = bundle.proof;
    assert_eq!(
        refused(&TWO, inner),
        format!("inner rollup 1: the tx rollup: {fails}")
    );
    let client = |bundle: &mut Bundle| bundle.inners[0].tail.proofs[1] = bundle.proof;
    assert_eq!(
        refused(&TWO, client),
        format!("inner rollup 0: the client of tx 0: {fails}")
    );
    let none = |bundle: &mut Bundle| bundle.inners[1].tail.proofs[0] = [0xff; 128];
    assert_eq!(
        refused(&TWO, none),
        "inner rollup 1: the tx rollup: the proof is not three points of the curve's groups"
    );
}

#[test]
fn words_of_clients_are_bound_to_the_txs() {
    let fails = "inner rollup 0: the tx rollup: the proof does not verify for its published fields";
    // Another fee, before the rollup; the proofs of the clients come after.
    let fee = |bundle: &mut Bundle| bundle.inners[0].tail.words[1 + 2] = Word::from(9);
    assert_eq!(refused(&TWO, fee), fails);
    // A tx more or less, and proofs that are left out or made up.
    let count = |bundle: &mut Bundle| bundle.inners[1].tail.words[0] = Word::from(2);
    assert!(refused(&TWO, count).contains("words"));
    let left_out = |bundle: &mut Bundle| {
        bundle.inners[0].tail.words[19] = Word::ZERO;
    };
    assert_eq!(
        refused(&TWO, left_out),
        "inner rollup 0: 2 proofs, expected 1"
    );
    let claimed = |bundle: &mut Bundle| {
        bundle.inners[0].tail.words[19] = Word::from(0b11);
        let proof = bundle.proof;
        bundle.inners[0].tail.proofs.push(proof);
        bundle.inners[0].tail.vks.insert(1, [1; 32]);
    };
    let error = refused(&TWO, claimed);
    assert!(error.starts_with("inner rollup 0: "), "{error}");
}

/// Hiding that a client's proof was checked is possible: it makes a weaker
/// bundle, which says so. It cannot pass for the request's own.
#[test]
fn a_bundle_without_a_clients_proof_says_less_and_is_not_the_requests() {
    let mut bundle = bundle(&ONE);
    let tail = &mut bundle.inners[0].tail;
    tail.words[10] = Word::ZERO;
    (tail.vks, tail.proofs) = (vec![tail.vks[0]], vec![tail.proofs[0]]);
    let reply = bundle.to_bytes().unwrap();
    let rollup = ONE.verifier().verify_rollup(&reply).unwrap();
    assert_eq!(rollup.txs()[&6].covered, 0);
    let root = Request::RootRollup(Box::new(ONE.root.clone()));
    let error = ONE.verifier().verify(&root, &reply).unwrap_err();
    assert_eq!(error, "inner rollup 0 is not the request's");
}

#[test]
fn keys_of_others_are_refused() {
    let key = |bundle: &mut Bundle| bundle.vk = [9; 32];
    let error = refused(&ONE, key);
    assert!(
        error.starts_with("the root rollup: it names verification key 0909"),
        "{error}"
    );
    assert!(error.ends_with("for root-rollup/poseidon/1/1"), "{error}");
    // A store without keys says nothing about the reply.
    let empty = tempfile::tempdir().unwrap();
    let store = EmbeddedKeyStore::new(empty.path());
    let verifier = NativeVerifier::new(Suite::Poseidon, ONE.sizes, store);
    let error = verifier.verify_rollup(&ONE.reply).unwrap_err();
    let missing = "there is no key for root-rollup/poseidon/1/1 yet".to_owned();
    assert_eq!(error, VerifyError::Key(missing));
}

#[test]
fn a_reply_to_another_request_is_refused() {
    let verifier = TWO.verifier();
    let verify = |root: &zkwhirl_job::request::RootRollupRequest, reply: &Bytes| {
        let request = Request::RootRollup(Box::new(root.clone()));
        verifier.verify(&request, reply).unwrap_err()
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
    assert_eq!(error.unwrap_err(), text);
    let pedersen = NativeVerifier::new(
        Suite::Pedersen,
        TWO.sizes,
        EmbeddedKeyStore::new("k".as_ref()),
    );
    let error = pedersen.verify_rollup(&TWO.reply).unwrap_err();
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
    let flipped = with(1, &|reply| reply[end - 1] ^= 1);
    assert!(
        flipped.starts_with("inner rollup 1: the tx rollup: "),
        "{flipped}"
    );
    let tail = 32 * (108 + 16);
    let plonk = with(1, &|reply| {
        reply.truncate(tail);
        reply.resize(5984, 7);
    });
    assert!(
        plonk.starts_with("inner rollup 1: no native proof follows the published fields"),
        "{plonk}"
    );
    // The claim's proof inside the first, whose place is the last.
    let end = TWO.inners[0].1.len();
    let claim = with(0, &|reply| reply[end - 1] ^= 1);
    assert!(
        claim.starts_with("inner rollup 0: the client of tx 0: "),
        "{claim}"
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
        refused.starts_with("inner rollup 1: the tx rollup: "),
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
        flipped.starts_with("the client of tx 0: the proof"),
        "{flipped}"
    );
    let suite = with(&|tail| tail[4] = 0);
    assert_eq!(
        suite,
        "tx 0: client proof: it does not stand alone in the poseidon suite"
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
    let error = ONE.verifier().verify(request, &weaker.into()).unwrap_err();
    assert_eq!(error, "the words of the txs are not the request's");
}

#[test]
fn sizes_that_no_circuit_has_are_refused() {
    let sizes = Sizes::new(1, 33).unwrap();
    let verifier = NativeVerifier::new(Suite::Poseidon, sizes, EmbeddedKeyStore::new("k".as_ref()));
    let root = Request::RootRollup(Box::new(ONE.root.clone()));
    let error = verifier.verify(&root, &ONE.reply).unwrap_err();
    assert_eq!(error, "no circuit proves rollups of 1×33: at most 28×32");
}
