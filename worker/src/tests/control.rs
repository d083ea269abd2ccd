//! Control messages.

use zkwhirl_broker_adapter::Control;

use super::*;

async fn cancel(world: &World, n: u32) {
    let job = claim_job(n).id;
    let message = Control::Cancel { job };
    world.broker.send_control(&message).await.unwrap();
}

async fn quiet(world: &World, worker: &str, quiet: bool) {
    let worker = worker.to_owned();
    let message = Control::Quiet { worker, quiet };
    world.broker.send_control(&message).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_job_that_no_ticket_waits_for_stops_its_prover() {
    for state in [JobState::Rejected, JobState::Withdrawn] {
        let world = World::start(1, |call| match call.request == request_of(&claim_job(1)) {
            true => Act::UntilCancelled,
            false => Act::Prove(1),
        });
        world.publish(1).await;
        world.begin(2).await;
        let start = Instant::now();
        // The bridge does not withdraw a job whose state is `Proving`.
        if state == JobState::Withdrawn {
            world.transition(claim_job(1).id, JobState::Queued).await;
        }
        world.transition(claim_job(1).id, state).await;
        cancel(&world, 1).await;
        assert_eq!(world.result().await.id, claim_job(2).id);
        assert_eq!(start.elapsed(), seconds(1), "at once");
        world.until_idle().await;
        let attempts = world.attempts(claim_job(1).id).await;
        assert_eq!(attempts, [], "it was no attempt");
        assert_eq!(world.state(claim_job(1).id).await, state);
        assert_eq!(world.healed(), [], "the prover is not to blame");
        assert_eq!(world.calls().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_cancelled_and_still_wanted_is_handed_back() {
    let mut world = World::start(1, at_first(Act::UntilCancelled));
    let job = world.begin(1).await;
    cancel(&world, 1).await;
    let result = world.result().await;
    assert_eq!((result.id, result.attempt), (job.id, 1));
    assert!(world.happened().contains(&"handed-back"));
    assert_eq!(world.attempts(job.id).await, []);
    assert_eq!(world.healed(), []);
}

#[tokio::test(start_paused = true)]
async fn other_jobs_are_not_cancelled() {
    let world = World::start(2, |_| Act::Prove(60));
    for n in 1..=2 {
        world.begin(n).await;
    }
    world.transition(claim_job(1).id, JobState::Rejected).await;
    cancel(&world, 1).await;
    cancel(&world, 3).await;
    assert_eq!(world.result().await.id, claim_job(2).id);
    world.until_idle().await;
    // A message about a job that is over changes nothing.
    world.publish(4).await;
    cancel(&world, 2).await;
    assert_eq!(world.result().await.id, claim_job(4).id);
    assert_eq!(world.calls().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_prover_that_does_not_stop_is_restarted() {
    let world = World::start(1, |call| match call.before {
        0 if call.request == request_of(&claim_job(1)) => Act::Hang,
        _ => Act::Prove(1),
    });
    world.begin(1).await;
    world.transition(claim_job(1).id, JobState::Rejected).await;
    cancel(&world, 1).await;
    let start = Instant::now();
    world.until_idle().await;
    assert!(start.elapsed() >= seconds(10), "the patience");
    world.publish(2).await;
    assert_eq!(world.result().await.id, claim_job(2).id);
    assert_eq!(world.healings(), ["restart", "self-test"]);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_slot_finishes_what_it_has_and_claims_no_more() {
    let world = World::start(2, |_| Act::Prove(10));
    for n in 1..=2 {
        world.begin(n).await;
    }
    quiet(&world, "w/0", true).await;
    world.publish_all(3..7).await;
    for _ in 1..=6 {
        proof_in(&world.result().await);
    }
    world.until_idle().await;
    let calls = world.calls();
    let of = |slot: &str| calls.iter().filter(|call| call.slot == slot).count();
    assert_eq!((of("w/0"), of("w/1")), (1, 5));
    assert_eq!(world.depth().await.consumers, 1, "it has left the queue");
    quiet(&world, "w/0", false).await;
    world.until_consumers(2).await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_s_name_quiets_all_its_slots_and_a_quiet_worker_drains() {
    let mut world = World::start(3, |_| Act::Prove(10));
    world.until_consumers(3).await;
    quiet(&world, "another", true).await;
    quiet(&world, "w", true).await;
    world.until_consumers(0).await;
    world.publish(1).await;
    sleep(seconds(3600)).await;
    assert_eq!(world.calls(), []);
    quiet(&world, "w/1", false).await;
    assert_eq!(world.result().await.worker, "w/1");
    world.drain().await;
}

#[tokio::test(start_paused = true)]
async fn a_reset_starts_every_prover_afresh_and_costs_no_attempt() {
    let mut world = World::start(1, at_first(Act::UntilCancelled));
    let job = world.begin(1).await;
    world.broker.send_control(&Control::Restart).await.unwrap();
    let result = world.result().await;
    assert_eq!((result.id, result.attempt), (job.id, 1));
    assert!(world.happened().contains(&"handed-back"));
    assert_eq!(world.attempts(job.id).await, []);
    let slot = || "w/0".to_owned();
    let once = [(slot(), "restart"), (slot(), "self-test")];
    assert_eq!(world.healed(), once);
    // Idle provers restart, too.
    world.until_idle().await;
    world.broker.send_control(&Control::Restart).await.unwrap();
    let twice = || async { world.healed() == [once.clone(), once.clone()].concat() };
    eventually("restarted again", twice).await;
    world.publish(2).await;
    assert_eq!(world.result().await.id, claim_job(2).id);
}

#[tokio::test(start_paused = true)]
async fn a_slot_is_ready_when_its_prover_has_started_however_often_that_fails() {
    let mut world = World::new();
    world.config.start_provers = true;
    world.log.lock().unwrap().restarts_fail = 3;
    let readiness = world.config.readiness.clone();
    let start = Instant::now();
    world.publish(1).await;
    world.work(1, |_| Act::Prove(1));
    world.began.notified().await;
    assert_eq!(readiness.slots(), 1);
    let pauses = seconds(1 + 2 + 4);
    assert_eq!(start.elapsed(), pauses, "with ever longer pauses");
    assert_eq!(world.result().await.id, claim_job(1).id);
    world.drain().await;
    assert_eq!(readiness.slots(), 0);
}
