//! Tasks that panic or end.

use super::*;

/// All core tasks of a bridge with the upstream `inner`.
const CORE: [&str; 9] = [
    "pump inner",
    "pump outer",
    "delivery",
    "reconcile",
    "sample",
    "amnesia inner",
    "poller inner",
    "membership",
    "lease thread",
];

/// How a bridge ends whose core task `name` fails.
async fn ended_by(name: &str, fault: Fault) -> String {
    let mut world = World::start().await;
    world.until_polled(1).await;
    world.handle.failpoints().arm(name, fault);
    let running = world.bridge.take().unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(20), running.task).await;
    let ended = ended.expect("the bridge stops").unwrap();
    ended.unwrap_err().to_string()
}

#[tokio::test]
async fn a_core_task_that_panics_or_ends_stops_the_bridge_with_its_name() {
    for name in CORE {
        for (fault, how) in [
            (Fault::Panic, format!("panicked: failpoint {name}")),
            (Fault::Return, "ended".to_owned()),
        ] {
            let ended = format!("core task `{name}` {how}; stopping");
            assert_eq!(ended_by(name, fault).await, ended);
        }
    }
}

#[tokio::test]
async fn a_bridge_that_is_stopped_ends_well() {
    let mut world = World::start().await;
    world.until_polled(1).await;
    world.stop_bridge().await;
}

/// The first job's item panics: it is a dead letter that says so, its lease is
/// kept, and the next job is answered.
async fn parks_one_and_goes_on(world: &World, item: &str) {
    let poison = world.falafel.ask_proof(claim(1));
    world.until_state(claim_id(1), JobState::Dead).await;
    assert_eq!(
        world.letter(claim_id(1)).await.unwrap().reason,
        format!(
            "job {} parked: the bridge panicked over its {item}: failpoint {item}",
            claim_id(1).short()
        )
    );
    let good = world.falafel.ask_proof(claim(2));
    world.until_answered(good).await;
    assert_eq!(world.falafel.answer(poison), None);
    assert_eq!(world.falafel.issued(poison), 1, "its lease is kept");
    world.until_open(1).await;
    // An operator replays it.
    world.handle.replay(claim_id(1)).await.unwrap();
    world.until_answered(poison).await;
    world.falafel.assert_no_nack();
}

#[tokio::test]
async fn an_item_that_panics_is_parked_and_the_loop_goes_on() {
    for item in ["ticket", "publishing", "result"] {
        let world = World::start().await;
        let _worker = world.worker(proof);
        world.handle.failpoints().arm(item, Fault::Panic);
        parks_one_and_goes_on(&world, item).await;
    }
}

#[tokio::test]
async fn a_job_over_which_the_comparison_panics_is_parked() {
    let mut world = World::start().await;
    world.broker.set_away(true);
    let poison = world.falafel.ask_proof(claim(1));
    world.until_taken(1).await;
    world.stop_bridge().await;
    world.broker.set_away(false);
    world.start_bridge();
    world.handle.failpoints().arm("job", Fault::Panic);
    world.until_state(claim_id(1), JobState::Dead).await;
    let _worker = world.worker(proof);
    let good = world.falafel.ask_proof(claim(2));
    world.until_answered(good).await;
    assert_eq!(world.falafel.answer(poison), None);
    world.until_open(1).await;
}

#[tokio::test]
async fn a_ticket_over_whose_answer_the_bridge_panics_keeps_its_lease() {
    let mut world = World::start().await;
    let _worker = world.worker(proof);
    world.handle.failpoints().arm("answer", Fault::Panic);
    let poison = world.falafel.ask_proof(claim(1));
    world.until_state(claim_id(1), JobState::Proved).await;
    let good = world.falafel.ask_proof(claim(2));
    world.until_answered(good).await;
    assert_eq!(world.falafel.answer(poison), None);
    assert_eq!(world.falafel.issued(poison), 1);
    // The next start tries again.
    world.stop_bridge().await;
    world.start_bridge();
    world.until_answered(poison).await;
}

#[tokio::test(start_paused = true)]
async fn a_result_is_acknowledged_only_when_its_job_is_proved_in_the_ledger() {
    let mut world = World::without_bridge(LEASE);
    let ledger = world.ledger.another();
    world.upstreams.clear();
    world.start_bridge_with(world.deps(Arc::new(ledger.clone())));
    let caller = world.ask(claim(1));
    let held = world.claim_one(Topic::Inner).await;
    ledger.set_away(true);
    world.prove(held).await;
    // The bridge asks the ledger again and again meanwhile.
    sleep(10 * world.timing.longest_pause).await;
    let missing = world.broker.missing(Topic::Inner, &[claim_id(1)]).await;
    assert_eq!(missing.unwrap(), [], "the broker still holds the result");
    ledger.set_away(false);
    assert_eq!(caller.await.unwrap(), Ok(proof_of(1)));
}
