//! Verification keys of the clients' circuits.

use std::{collections::HashMap, sync::Mutex};

use super::*;

#[derive(Debug, Default)]
struct Store {
    known: Mutex<HashMap<Kind, Bytes>>,
    learnt: Mutex<Vec<(Kind, Bytes)>>,
    broken: bool,
}

impl ClientVks for Store {
    fn client_vk(&self, kind: Kind) -> Option<Bytes> {
        assert!(!self.broken, "for the test");
        self.known.lock().unwrap().get(&kind).cloned()
    }

    fn learn(&self, kind: Kind, reply: &Bytes) {
        self.learnt.lock().unwrap().push((kind, reply.clone()));
    }
}

fn world_with(store: &Arc<Store>) -> World {
    let mut world = World::without_bridge(LEASE);
    let deps = BridgeDeps {
        client_vks: Some(store.clone()),
        ..world.deps(Arc::new(world.ledger.clone()))
    };
    world.start_bridge_with(deps);
    world
}

fn knowing(kind: Kind, vk: &'static str) -> Arc<Store> {
    let store = Arc::new(Store::default());
    store.known.lock().unwrap().insert(kind, vk.into());
    store
}

fn ask(world: &World, kind: Kind) -> TicketId {
    let command = match kind {
        Kind::JoinSplitVk => Command::GetJoinSplitVk,
        _ => Command::GetAccountVk,
    };
    world.falafel.ask(command.code(), Bytes::new())
}

#[tokio::test]
async fn a_known_key_is_answered_without_broker_and_worker() {
    let store = knowing(Kind::AccountVk, "proof that is a key");
    let mut world = world_with(&store);
    world.broker.set_away(true);
    // In front of it, and stuck.
    let other = ask(&world, Kind::JoinSplitVk);
    let ticket = ask(&world, Kind::AccountVk);
    assert_eq!(world.until_answered(ticket).await, "proof that is a key");
    assert_eq!(world.falafel.answer(other), None);
    assert_eq!(world.stats().from_keystore, 1);
    let known = JobId::of(Command::GetAccountVk, &[]);
    world.until_state(known, JobState::Delivered).await;
    let happened = world.happened();
    assert!(happened.contains(&(known, "proved")) && happened.contains(&(known, "delivered")));
    // The other goes its way.
    world.broker.set_away(false);
    let job = world.claim_one(Topic::Outer).await;
    assert_eq!(job.kind, Kind::JoinSplitVk);
    world.prove(job).await;
    world.until_answered(other).await;
    assert_eq!(world.stats().from_keystore, 1);
}

#[tokio::test]
async fn a_key_that_a_prover_made_is_offered_to_the_store() {
    let store = Arc::new(Store::default());
    let world = world_with(&store);
    let ticket = ask(&world, Kind::AccountVk);
    let proof_ticket = world.falafel.ask_proof(claim(1));
    let _worker = world.worker(proof);
    let vk = world.until_answered(ticket).await;
    world.until_answered(proof_ticket).await;
    eventually("it is learnt, and nothing else", || async {
        *store.learnt.lock().unwrap() == [(Kind::AccountVk, vk.clone())]
    })
    .await;
}

#[tokio::test]
async fn a_key_that_is_imported_later_answers_what_waits_in_the_queue() {
    let store = Arc::new(Store::default());
    let world = world_with(&store);
    let ticket = ask(&world, Kind::JoinSplitVk);
    let held = world.claim_one(Topic::Outer).await;
    let vk = Bytes::from_static(b"proof, imported");
    store.known.lock().unwrap().insert(held.kind, vk.clone());
    assert_eq!(world.until_answered(ticket).await, vk);
    // The worker's own comes too late, and changes nothing.
    let id = held.id;
    world.prove(held).await;
    world.until_state(id, JobState::Delivered).await;
    assert_eq!(world.falafel.seen().answers.len(), 1);
}

#[tokio::test]
async fn a_store_that_is_broken_or_wrong_costs_nothing_but_work() {
    let broken = Arc::new(Store {
        broken: true,
        ..Store::default()
    });
    for store in [broken, knowing(Kind::AccountVk, "not a key")] {
        let world = world_with(&store);
        let ticket = ask(&world, Kind::AccountVk);
        let _worker = world.worker(proof);
        let answer = world.until_answered(ticket).await;
        assert!(answer.starts_with(b"proof of"), "{answer:?}");
        assert_eq!(world.stats().from_keystore, 0);
    }
}
