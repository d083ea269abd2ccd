//! Workers that are told to stop.

use super::*;

/// A worker that is proving one job while another waits.
async fn proving(act: Act) -> World {
    let world = World::start(1, move |_| act.clone());
    world.publish(1).await;
    world.begin(2).await;
    world
}

#[tokio::test(start_paused = true)]
async fn what_fits_the_grace_is_finished_and_nothing_more_is_claimed() {
    let mut world = proving(Act::Prove(40)).await;
    assert_eq!(world.drain().await, seconds(40));
    assert_eq!(world.result().await.id, claim_job(1).id);
    let depth = world.depth().await;
    assert_eq!((depth.ready, depth.in_flight, depth.consumers), (1, 0, 0));
    assert_eq!(world.healed(), [("w/0".to_owned(), "stop")]);
}

#[tokio::test(start_paused = true)]
async fn a_result_that_nobody_takes_keeps_a_draining_worker_for_its_grace() {
    let mut world = proving(Act::Prove(40)).await;
    world.broker.set_away(true);
    sleep(seconds(100)).await;
    assert_eq!(world.drain().await, seconds(60));
    // The result is in the ledger, where the job's next worker finds it.
    let stored = world.ledger.result(claim_job(1).id).await.unwrap();
    assert!(stored.is_some());
}

#[tokio::test(start_paused = true)]
async fn what_does_not_end_within_the_grace_is_handed_back_as_no_attempt() {
    let mut world = proving(Act::Prove(300)).await;
    assert_eq!(world.drain().await, seconds(60));
    assert_eq!(world.state(claim_job(1).id).await, JobState::Queued);
    assert!(world.happened().contains(&"handed-back"));
    // The job is behind the one that waited, and no attempt is counted.
    let jobs = world.broker.subscribe(&[Topic::Inner], "other").await;
    let mut jobs = jobs.unwrap();
    let mut first = jobs.claim().await.unwrap();
    assert_eq!(first.job, claim_job(2));
    first.settle(&broker::Settlement::Ack).await.unwrap();
    let handed = jobs.claim().await.unwrap();
    assert_eq!(handed.job, claim_job(1));
    assert_eq!((handed.job.attempt, handed.delivery_count), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_known_to_take_longer_than_the_grace_is_handed_back_at_once() {
    let mut world = World::start(1, |_| Act::Prove(300));
    world.publish(1).await;
    world.result().await;
    world.began.notified().await;
    world.begin(2).await;
    assert_eq!(world.drain().await, Duration::ZERO);
    assert_eq!(world.state(claim_job(2).id).await, JobState::Queued);
}

#[tokio::test(start_paused = true)]
async fn an_abort_hands_back_at_once() {
    let mut world = proving(Act::UntilCancelled).await;
    world.stop.abort.cancel();
    assert_eq!(world.left().await, Duration::ZERO);
    // The worker itself sent the signal 15, which counts no attempt.
    let attempts = world.attempts(claim_job(1).id).await;
    assert_eq!(attempts, []);
    let depth = world.depth().await;
    assert_eq!((depth.ready, depth.in_flight), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_prover_that_does_not_obey_is_abandoned() {
    let mut world = proving(Act::Hang).await;
    world.stop.abort.cancel();
    assert_eq!(world.left().await, seconds(10), "the patience");
    let depth = world.depth().await;
    assert_eq!((depth.ready, depth.in_flight), (2, 0));
    assert_eq!(world.healed().last().unwrap().1, "stop");
}

#[tokio::test(start_paused = true)]
async fn an_idle_worker_leaves_at_once() {
    let mut world = World::start(3, |_| Act::Panic);
    tokio::task::yield_now().await;
    assert_eq!(world.drain().await, Duration::ZERO);
    assert_eq!(world.healed().len(), 3, "every prover is stopped");
}

#[tokio::test(start_paused = true)]
async fn a_worker_drains_while_the_broker_is_away_or_a_prover_is_ill() {
    let mut world = World::new();
    world.broker.set_away(true);
    world.work(1, |_| Act::Panic);
    sleep(seconds(5)).await;
    assert_eq!(world.drain().await, Duration::ZERO);

    let mut world = World::new();
    world.log.lock().unwrap().self_tests_fail = usize::MAX;
    world.work(1, |_| Act::Panic);
    world.begin(1).await;
    sleep(seconds(100)).await;
    assert_eq!(world.drain().await, Duration::ZERO);
}
