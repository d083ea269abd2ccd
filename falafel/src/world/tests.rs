//! The world's requests are true statements, and become false if changed.

use std::collections::BTreeSet;
use std::sync::Mutex;

use bytes::Bytes;
use zkwhirl_circuits::{
    StatementError, Suite,
    claim::{self, ClaimWitness},
    client::ClientWitness,
    join_split::JoinSplitWitness,
    published::Published,
    tx_rollup::{self, TxRollupWitness},
};
use zkwhirl_job::{
    Request, Sizes, Word,
    reply::NotVerified,
    request::{ClaimRequest, ClientProof, TxRollupRequest, field},
};

use super::*;
use crate::users::{ClientKeys, ClientProofs, MockProofs, TxError, TxPool, TxReceiver};

/// A prover of marked proofs that checks every rule of the statement.
#[derive(Debug, Default)]
struct Checked(Mutex<Vec<ClientWitness>>);

impl ClientProofs for Checked {
    fn prove(&self, witness: &ClientWitness) -> Result<ClientProof, TxError> {
        let checked = witness.check();
        checked.map_err(|error| TxError::Unproved(error.to_string()))?;
        self.0.lock().unwrap().push(witness.clone());
        MockProofs.prove(witness)
    }

    fn verify(&self, key: &Bytes, proof: &ClientProof) -> Result<(), NotVerified> {
        MockProofs.verify(key, proof)
    }
}

/// Builds the inner rollups with a receiver that verifies no proof.
fn inners_by(
    proofs: &dyn ClientProofs,
    draft: &mut Draft,
    txs: usize,
    claims: &[Bytes],
) -> Vec<InnerJob> {
    let door = TxReceiver {
        proofs,
        keys: None,
        pool: &TxPool::default(),
    };
    draft.inners(txs, claims, &door).unwrap()
}

fn draft_of(world: &World, txs: u32, inners: u32) -> Draft {
    world.begin(Sizes::new(txs, inners).unwrap())
}

fn check_claim(suite: Suite, request: &ClaimRequest) -> Result<Published, StatementError> {
    claim::check(suite, &ClaimWitness::new(request)?)
}

fn check_rollup(
    suite: Suite,
    request: &TxRollupRequest,
    txs: u32,
) -> Result<Published, StatementError> {
    tx_rollup::check(suite, txs, &TxRollupWitness::new(request, txs)?)
}

fn words(published: &Published) -> Vec<Word> {
    published.to_words().into_iter().map(Word).collect()
}

/// A reply that consists of these fields and of bytes that prove nothing.
fn reply(published: &[Word]) -> Bytes {
    let bytes: Vec<u8> = published.iter().flat_map(|word| word.0).collect();
    [&bytes[..], b"proof"].concat().into()
}

/// Checks a draft's claims and returns replies to them.
#[track_caller]
fn checked_claims(draft: &mut Draft, suite: Suite, limit: usize) -> Vec<Bytes> {
    let jobs = draft.claims(limit);
    for job in &jobs {
        let published = check_claim(suite, &job.request).unwrap();
        assert_eq!(words(&published), job.published);
    }
    jobs.iter().map(|job| reply(&job.published)).collect()
}

#[track_caller]
fn checked_inners(draft: &mut Draft, suite: Suite, txs: usize, claims: &[Bytes]) -> Vec<InnerJob> {
    let capacity = draft.sizes().txs_per_inner();
    let jobs = inners_by(&Checked::default(), draft, txs, claims);
    for job in &jobs {
        let published = check_rollup(suite, &job.request, capacity).unwrap();
        assert_eq!(words(&published), job.published);
        let request = Request::TxRollup(Box::new(job.request.clone()));
        assert_eq!(Request::parse(&request.to_bytes()), Ok(request.clone()));
        assert_eq!(request.validate(draft.sizes()), Ok(()));
    }
    jobs
}

fn inners(draft: &mut Draft, txs: usize, claims: &[Bytes]) -> Vec<InnerJob> {
    inners_by(&MockProofs, draft, txs, claims)
}

fn proof_ids(request: &TxRollupRequest) -> impl Iterator<Item = u64> {
    request
        .txs
        .iter()
        .filter_map(|tx| tx.public_inputs[field::PROOF_ID].to_u64())
}

#[test]
fn requests_are_true_statements_in_both_suites() {
    for (suite, rollups) in [(Suite::Poseidon, 4), (Suite::Pedersen, 2)] {
        let mut world = World::genesis(suite, 1, 9);
        for _ in 0..rollups {
            let mut draft = draft_of(&world, 2, 2);
            let claims = checked_claims(&mut draft, suite, 16);
            assert!(!claims.is_empty());
            checked_inners(&mut draft, suite, 4, &claims);
            world = draft.settle();
        }
    }
}

/// In a few rollups, every kind of transaction occurs, notes are spent while
/// pending (within one inner rollup and across two), and claims are made of
/// deposits that the world itself has settled.
#[test]
fn every_kind_of_transaction_comes_up() {
    let suite = Suite::Poseidon;
    let mut world = World::genesis(suite, 7, 8);
    let (mut kinds, mut chained, mut across) = (BTreeSet::new(), 0, 0);
    for _ in 0..6 {
        let mut draft = draft_of(&world, 3, 4);
        let claims = checked_claims(&mut draft, suite, 3);
        for InnerJob { request, .. } in checked_inners(&mut draft, suite, 12, &claims) {
            kinds.extend(proof_ids(&request));
            for (i, tx) in request.txs.iter().enumerate() {
                let link = tx.public_inputs[field::BACKWARD_LINK];
                let makes_it =
                    |earlier: &ClientProof| earlier.public_inputs[field::NOTE_COMMITMENT2] == link;
                let here = request.txs[..i].iter().any(makes_it);
                chained += usize::from(link != Word::ZERO);
                across += usize::from(link != Word::ZERO && !here);
            }
        }
        world = draft.settle();
    }
    assert_eq!(kinds, BTreeSet::from_iter(1..=6));
    assert!(chained > across && across > 0, "{chained} {across}");
}

#[test]
fn the_genesis_has_claims_of_every_shape() {
    let world = World::genesis(Suite::Poseidon, 3, 14);
    let mut draft = draft_of(&world, 1, 1);
    checked_claims(&mut draft, Suite::Poseidon, 14);
    let claims = draft.claims(14);
    let count =
        |holds: fn(&ClaimRequest) -> bool| claims.iter().filter(|job| holds(&job.request)).count();
    let failed = count(|claim| !claim.defi_note.result);
    let two = count(|claim| claim.output_value_b != Word::ZERO);
    assert_eq!((claims.len(), failed), (14, 4));
    assert!(two >= 4, "{two}");
}

#[test]
fn an_inner_rollup_that_is_not_full_has_a_padding_path() {
    let suite = Suite::Poseidon;
    let world = World::genesis(suite, 5, 0);
    let mut draft = draft_of(&world, 3, 2);
    let jobs = checked_inners(&mut draft, suite, 4, &[]);
    let [first, second] = [0, 1].map(|place| &jobs[place].request);
    let shape = |request: &TxRollupRequest| (request.txs.len(), request.old_null_paths.len());
    assert_eq!([first, second].map(shape), [(3, 6), (1, 3)]);
    // Three slots are rounded up to four slots, which have eight leaves.
    assert_eq!(second.data_start_index - first.data_start_index, 8);
    assert_eq!(first.data_start_index % 16, 0);
    assert_eq!(second.old_data_root, first.new_data_root);
    assert_eq!(first.new_null_roots.last(), Some(&second.old_null_root));
}

#[test]
fn a_double_spend_or_a_changed_field_is_not_true() {
    let suite = Suite::Poseidon;
    let mut draft = draft_of(&World::genesis(suite, 2, 3), 2, 1);
    let claim = draft.claims(1).remove(0).request;
    let good = inners(&mut draft, 2, &[]).remove(0).request;
    check_rollup(suite, &good, 2).unwrap();

    let mut double_spend = good.clone();
    let nullifier = double_spend.txs[0].public_inputs[field::NULLIFIER1];
    double_spend.txs[1].public_inputs[field::NULLIFIER1] = nullifier;
    double_spend.old_null_paths[2] = double_spend.old_null_paths[0].clone();
    check_rollup(suite, &double_spend, 2).unwrap_err();

    for place in [field::NOTE_COMMITMENT1, field::NULLIFIER2, field::DATA_ROOT] {
        let mut changed = good.clone();
        changed.txs[0].public_inputs[place] = Word::from(5);
        check_rollup(suite, &changed, 2).unwrap_err();
    }
    let mut late = good;
    late.data_start_index += 4;
    check_rollup(suite, &late, 2).unwrap_err();

    let mut greedy = claim.clone();
    let more = greedy.output_value_a.to_u64().unwrap() + 1;
    greedy.output_value_a = more.into();
    check_claim(suite, &greedy).unwrap_err();
    let mut another = claim;
    another.claim_note_index += 1;
    check_claim(suite, &another).unwrap_err();
}

#[test]
fn a_claim_travels_with_its_reply() {
    let mut draft = draft_of(&World::genesis(Suite::Poseidon, 4, 1), 2, 1);
    let claims = checked_claims(&mut draft, Suite::Poseidon, 1);
    let inner = inners(&mut draft, 2, &claims).remove(0).request;
    assert_eq!(proof_ids(&inner).next(), Some(6));
    let tail = &inner.txs[0].tail;
    assert_eq!((&tail[..6], tail.len()), (&b"proof\0"[..], 1504));
}

#[test]
fn the_same_seed_makes_the_same_requests() {
    let run = |seed| {
        let world = World::genesis(Suite::Poseidon, seed, 2);
        let requests = || {
            let mut draft = draft_of(&world, 2, 2);
            let claims = draft.claims(2);
            let claims = claims.iter().map(|job| job.request.to_bytes());
            let inners = inners(&mut draft, 3, &[]);
            let inners = inners.iter().map(|job| job.request.to_bytes());
            claims.chain(inners).collect::<Vec<_>>()
        };
        // A dropped draft changes nothing.
        assert_eq!(requests(), requests());
        requests()
    };
    assert_eq!(run(11), run(11));
    assert_ne!(run(11), run(12));
}

#[test]
fn a_claim_without_a_place_is_claimed_again_against_the_new_roots() {
    let suite = Suite::Poseidon;
    let world = World::genesis(suite, 6, 5);
    let mut draft = draft_of(&world, 2, 1);
    let claims = checked_claims(&mut draft, suite, 5);
    checked_inners(&mut draft, suite, 2, &claims);
    let world = draft.settle();
    // One of the five claims entered the rollup, and its new defi deposit was added.
    assert_eq!(world.claims(), 5);
    let mut draft = draft_of(&world, 2, 1);
    assert_eq!(checked_claims(&mut draft, suite, 9).len(), 5);
}

/// The original's largest inner rollup: 28 transactions in 32 slots.
#[test]
fn an_inner_rollup_of_28_is_true_and_has_the_originals_size() {
    let suite = Suite::Poseidon;
    let mut draft = draft_of(&World::genesis(suite, 8, 4), 28, 1);
    let claims = checked_claims(&mut draft, suite, 4);
    let jobs = checked_inners(&mut draft, suite, 28, &claims);
    let request = &jobs[0].request;
    let lists = request.bridge_call_datas.len() + request.asset_ids.len();
    assert_eq!(request.txs.len(), 28);
    assert_eq!(request.to_bytes().len(), 2264 + 28 * 38_716 + 32 * lists);
    assert_eq!(jobs[0].published.len(), 108 + 8 * 32);
}

/// In a few rollups, users spend with and without accounts, one note and two
/// notes, settled and pending notes; their witnesses prove what they publish.
#[test]
fn users_prove_what_they_send() {
    let mut world = World::genesis(Suite::Poseidon, 7, 3);
    let proofs = Checked::default();
    let (mut accounts, mut payments) = (0, Vec::new());
    for _ in 0..8 {
        let mut draft = draft_of(&world, 3, 4);
        let claims = checked_claims(&mut draft, Suite::Poseidon, 1);
        let jobs = inners_by(&proofs, &mut draft, 12, &claims);
        let txs: Vec<ClientProof> = jobs.into_iter().flat_map(|job| job.request.txs).collect();
        let sent = std::mem::take(&mut *proofs.0.lock().unwrap());
        assert_eq!(sent.len(), 11, "all but the claim");
        for (witness, tx) in sent.into_iter().zip(&txs[1..]) {
            let words: Vec<Word> = words(&witness.published());
            assert_eq!(words, tx.public_inputs);
            match witness {
                ClientWitness::JoinSplit(payment) => payments.push(payment),
                ClientWitness::Account(_) => accounts += 1,
            }
        }
        world = draft.settle();
    }
    let count = |holds: fn(&JoinSplitWitness) -> bool| {
        payments.iter().filter(|payment| holds(payment)).count()
    };
    assert!(accounts > 0);
    assert!(count(|w| w.account_required && w.inputs[0].in_use) > 0);
    assert!(count(|w| !w.account_required && w.inputs[0].in_use) > 0);
    assert!(count(|w| w.inputs[1].in_use) > 0);
    assert!(count(|w| w.backward_link != Fr::from(0u64)) > 0);
    assert!(count(|w| w.outputs[0].partial.creator != Fr::from(0u64)) > 0);
    assert!(payments.iter().all(|w| w.data_root != Fr::from(0u64)));
}

#[test]
fn what_does_not_verify_is_not_let_in() {
    let keys = ClientKeys {
        join_split: Bytes::from_static(b"join-split"),
        account: Bytes::from_static(b"account"),
    };
    /// A verifier that accepts one key only.
    #[derive(Debug)]
    struct OneKey(&'static [u8]);
    impl ClientProofs for OneKey {
        fn prove(&self, witness: &ClientWitness) -> Result<ClientProof, TxError> {
            MockProofs.prove(witness)
        }
        fn verify(&self, key: &Bytes, _: &ClientProof) -> Result<(), NotVerified> {
            let same = **key == *self.0;
            same.then_some(())
                .ok_or(NotVerified::refused("another key"))
        }
    }
    let world = World::genesis(Suite::Poseidon, 7, 0);
    let sent = |proofs: &dyn ClientProofs| {
        let mut draft = draft_of(&world, 1, 1);
        let door = TxReceiver {
            proofs,
            keys: Some(&keys),
            pool: &TxPool::default(),
        };
        draft.inners(1, &[], &door).map(|jobs| jobs.len())
    };
    assert_eq!(sent(&MockProofs), Ok(1));
    assert_eq!(sent(&OneKey(b"join-split")), Ok(1));
    let refused = TxError::Refused(NotVerified::refused("another key"));
    assert_eq!(sent(&OneKey(b"account")), Err(refused));
}

/// A rollup that is made again has the same requests, although no two proofs of
/// a prover are equal.
#[test]
fn what_came_in_is_not_proved_again() {
    /// A prover whose proofs all differ.
    #[derive(Debug, Default)]
    struct Random(Mutex<u8>);
    impl ClientProofs for Random {
        fn prove(&self, witness: &ClientWitness) -> Result<ClientProof, TxError> {
            let mut count = self.0.lock().unwrap();
            *count += 1;
            let tail = Bytes::from(vec![*count; 1504]);
            let proof = MockProofs.prove(witness)?;
            Ok(ClientProof { tail, ..proof })
        }
        fn verify(&self, _: &Bytes, _: &ClientProof) -> Result<(), NotVerified> {
            Ok(())
        }
    }
    let world = World::genesis(Suite::Poseidon, 7, 0);
    let (proofs, pool) = (Random::default(), TxPool::default());
    let requests = |pool: &TxPool| {
        let (proofs, keys) = (&proofs, None);
        let door = TxReceiver { proofs, keys, pool };
        let mut draft = draft_of(&world, 2, 2);
        let jobs = draft.inners(4, &[], &door).unwrap();
        let bytes = jobs.iter().map(|job| job.request.to_bytes());
        bytes.collect::<Vec<_>>()
    };
    let first = requests(&pool);
    assert_eq!(requests(&pool), first);
    assert_eq!(*proofs.0.lock().unwrap(), 4);
    pool.clear();
    assert_ne!(requests(&pool), first);
}
