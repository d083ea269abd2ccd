//! Tests of replies and requests that are refused, and of the reasons.

use bytes::Bytes;
use zkwhirl_circuits::Suite;
use zkwhirl_job::{
    Request, Sizes, Word,
    reply::{Bundle, NotVerified},
    request::RootRollupRequest,
};

use super::proved::{LIMIT, ONE, ProvedRollup, TWO, keyless, refusal, verification};

/// The bytes of a rollup's bundle after `change`.
fn changed(rollup: &ProvedRollup, change: impl FnOnce(&mut Bundle)) -> Bytes {
    let mut bundle = Bundle::parse(&rollup.root().reply).unwrap();
    change(&mut bundle);
    bundle.to_bytes().unwrap()
}

/// The reason with which the verifier of final buffers refuses a changed bundle.
#[track_caller]
fn refused(rollup: &ProvedRollup, change: impl FnOnce(&mut Bundle)) -> String {
    refusal(rollup.verifier.verify_rollup(&changed(rollup, change)))
}

fn root_request(root: &RootRollupRequest) -> Request {
    Request::RootRollup(Box::new(root.clone()))
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
    let error = "inner rollup 1: segment: the proof is not three points of the curve's groups";
    assert_eq!(refused(&TWO, none), error);
}

#[test]
fn words_of_clients_are_bound_to_the_txs() {
    let fails = "inner rollup 0: tx rollup: the proof does not verify for its published fields";
    // A changed fee in the client's words.
    let fee = |bundle: &mut Bundle| bundle.inners[0].tail.words[1 + 2].0[31] ^= 1;
    assert_eq!(refused(&ONE, fee), fails);
    // One tx more or less; proofs that are missing or invented.
    for n in [0, 2] {
        let count = |bundle: &mut Bundle| bundle.inners[0].tail.words[0] = Word::from(n);
        let error = refused(&ONE, count);
        assert!(error.starts_with("inner rollup 0: word "), "{error}");
        assert!(error.ends_with("is out of range"), "{error}");
    }
    let left_out = |bundle: &mut Bundle| bundle.inners[0].tail.words[10] = Word::ZERO;
    let error = "inner rollup 0: tx 0 has no native client proof";
    assert_eq!(refused(&ONE, left_out), error);
    let claimed = |bundle: &mut Bundle| {
        let proof = bundle.proof;
        bundle.inners[0].tail.proofs.push(proof);
    };
    let error = "inner rollup 0: 3 proofs, expected 2";
    assert_eq!(refused(&ONE, claimed), error);
}

#[test]
fn seams_of_a_chain_are_bound_to_its_pieces() {
    for seam in [20, 21] {
        let change = |bundle: &mut Bundle| bundle.inners[0].tail.words[seam] = Word::from(9);
        let error = refused(&TWO, change);
        let first = "inner rollup 0: segment 1 of 2: ";
        assert!(error.starts_with(first), "{error}");
    }
    let missing = |bundle: &mut Bundle| bundle.inners[0].tail.words.truncate(21);
    assert!(refused(&TWO, missing).contains("too few or too many"));
    let error = refused(&TWO, |bundle| bundle.domain_log2 += 1);
    let largest = "circuits of up to 2^19 rows, must be of up to 2^18";
    assert!(error.contains(largest), "{error}");
}

/// Except for the missing client proof, the words and the proofs of the rollup are
/// good.
#[test]
fn a_bundle_without_a_clients_proof_is_refused() {
    let reply = changed(&ONE, |bundle| {
        let tail = &mut bundle.inners[0].tail;
        tail.words[10] = Word::ZERO;
        (tail.vks, tail.proofs) = (vec![tail.vks[0]], vec![tail.proofs[0]]);
    });
    let error = refusal(ONE.verifier.verify_rollup(&reply));
    assert_eq!(error, "inner rollup 0: tx 0 has no native client proof");
    let request = root_request(&ONE.root().request);
    let error = refusal(ONE.verifier.verify(&request, &reply));
    assert_eq!(error, "inner rollup 0 is not the request's");
}

#[test]
fn keys_of_others_are_refused() {
    let error = refused(&ONE, |bundle| bundle.vk = [9; 32]);
    let names = "root rollup: the proof names verification key 0909";
    assert!(error.starts_with(names), "{error}");
    assert!(error.ends_with("for root-rollup/poseidon/1/1"), "{error}");
    // With a store without keys, a reply is neither accepted nor refused.
    let verifier = keyless(Suite::Poseidon, ONE.setting.sizes, LIMIT);
    let error = verifier.verify_rollup(&ONE.root().reply).unwrap_err();
    let missing = "root rollup: there is no key for root-rollup/poseidon/1/1 yet".to_owned();
    assert_eq!(error, NotVerified::cannot_check(missing));
}

#[test]
fn a_reply_to_another_request_is_refused() {
    let root = TWO.root();
    let verify = |request: &RootRollupRequest, reply: &Bytes| {
        refusal(TWO.verifier.verify(&root_request(request), reply))
    };
    let mut other = root.request.clone();
    other.rollup_beneficiary = Word::from(1);
    assert!(verify(&other, &root.reply).starts_with("published field 140 is 0000"));
    // The same inner rollups, proved again.
    let mut again = root.request.clone();
    again.inner_proofs[1] = TWO.prove(&TWO.inners[1].request);
    let error = verify(&again, &root.reply);
    assert_eq!(error, "inner rollup 1 is not the request's");
    let short = root.reply.slice(..1000);
    assert!(verify(&root.request, &short).starts_with("the reply has 1000 bytes"));

    let mut changed = root.reply.to_vec();
    changed[77] ^= 1;
    let request = verification(&root.reply);
    let error = refusal(TWO.verifier.verify(&request, &changed.into()));
    let text = "the reply differs from the verified rollup at byte 77";
    assert_eq!(error, text);
    let pedersen = keyless(Suite::Pedersen, TWO.setting.sizes, LIMIT);
    let error = refusal(pedersen.verify_rollup(&root.reply));
    assert_eq!(error, "the proofs are not of the pedersen suite");
}

#[test]
fn the_engine_proves_no_root_rollup_over_a_bad_inner_proof() {
    let refused = |request: &Request| {
        let proved = TWO.engine().prove(request, &|_| {});
        proved.unwrap_err().to_string()
    };
    let root = TWO.root();
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut request = root.request.clone();
        let mut reply = request.inner_proofs[1].to_vec();
        change(&mut reply);
        request.inner_proofs[1] = reply.into();
        refused(&root_request(&request))
    };
    let end = root.request.inner_proofs[1].len();
    // The last proof is the client's, the proof before is the rollup's own.
    for (proof, name) in [(1, "client proof of tx 0"), (2, "notes")] {
        let flipped = with(&|reply| reply[end - 128 * proof + 127] ^= 1);
        let start = format!("inner rollup 1: {name}: ");
        assert!(flipped.starts_with(&start), "{flipped}");
    }
    let tail = 32 * (108 + 16);
    let plonk = with(&|reply| {
        reply.truncate(tail);
        reply.resize(5984, 7);
    });
    let none = "inner rollup 1: no native proof follows the published fields";
    assert!(plonk.starts_with(none), "{plonk}");
    let mut swapped = root.request.clone();
    swapped.inner_proofs.swap(0, 1);
    let order = "inner rollup 1: data start index does not follow the inner rollup before";
    assert_eq!(refused(&root_request(&swapped)), order);
    let mut buffer = root.reply.to_vec();
    *buffer.last_mut().unwrap() ^= 1;
    let error = refused(&verification(&buffer.into()));
    let last = "inner rollup 1: client proof of tx 0: ";
    assert!(error.starts_with(last), "{error}");
}

#[test]
fn sizes_that_no_circuit_has_are_refused() {
    let verifier = keyless(Suite::Poseidon, Sizes::new(1, 33).unwrap(), LIMIT);
    let root = ONE.root();
    let error = refusal(verifier.verify(&root_request(&root.request), &root.reply));
    assert_eq!(error, "no circuit proves rollups of 1×33: at most 28×32");
}
