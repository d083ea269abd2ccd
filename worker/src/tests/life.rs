//! Jobs that are proved.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_job_is_proved_stored_announced_and_acknowledged() {
    let mut world = World::start(1, |_| Act::Prove(5));
    let job = world.publish(1).await;
    let result = world.result().await;
    assert_eq!(proof_in(&result), &reply_to(&request_of(&job)));
    assert_eq!((result.attempt, result.worker.as_str()), (1, "w/0"));
    assert_eq!(result.prove_ms, 5_000);
    let stored = world.ledger.result(job.id).await.unwrap().unwrap();
    assert_eq!(&stored.reply, proof_in(&result));
    world.until_idle().await;
    assert_eq!(world.happened(), ["claimed", "progress", "proved"]);
}

#[tokio::test(start_paused = true)]
async fn nine_hundred_jobs_are_all_proved_in_their_order() {
    let world = World::start(1, |_| Act::Prove(1));
    world.publish_all(0..900).await;
    for n in 0..900 {
        assert_eq!(world.result().await.id, claim_job(n).id);
    }
    let order: Vec<_> = world.calls().into_iter().map(|call| call.request).collect();
    let arrival: Vec<_> = (0..900).map(|n| request_of(&claim_job(n))).collect();
    assert_eq!(order, arrival);
    world.until_idle().await;
}

#[tokio::test(start_paused = true)]
async fn slots_share_the_work() {
    let world = World::start(4, |_| Act::Prove(10));
    let start = Instant::now();
    world.publish_all(0..40).await;
    for _ in 0..40 {
        world.result().await;
    }
    assert_eq!(start.elapsed().as_secs(), 100);
    for slot in ["w/0", "w/1", "w/2", "w/3"] {
        let calls = world.calls();
        let own = calls.iter().filter(|call| call.slot == slot);
        assert_eq!(own.count(), 10);
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_result_is_known_is_announced_and_not_proved() {
    let mut world = World::new();
    let job = world.publish(1).await;
    let known = ledger::StoredResult::new(Bytes::from_static(b"known"), 1, "dead worker", 7);
    world.ledger.store_result(job.id, &known).await.unwrap();
    world.work(1, |_| Act::Panic);
    let result = world.result().await;
    assert_eq!(proof_in(&result), "known");
    assert_eq!(result.worker, "dead worker");
    world.until_idle().await;
    assert_eq!(world.calls(), []);
}

#[tokio::test(start_paused = true)]
async fn jobs_that_nobody_wants_are_dropped() {
    let mut world = World::new();
    let unwanted = world.publish(1).await;
    let wanted = world.publish(2).await;
    world.transition(unwanted.id, JobState::Withdrawn).await;
    world.work(1, |_| Act::Prove(1));
    assert_eq!(world.result().await.id, wanted.id);
    world.until_idle().await;
    assert_eq!(world.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_large_request_comes_from_the_ledger() {
    let world = World::start(1, |_| Act::Prove(1));
    let mut job = claim_job(1);
    let request = request_of(&job);
    world.take(&job).await;
    job.payload = Payload::Stored {
        bytes: request.len() as u64,
    };
    world.broker.publish(&job, None).await.unwrap();
    assert_eq!(proof_in(&world.result().await), &reply_to(&request));
}

#[tokio::test(start_paused = true)]
async fn a_lost_lease_costs_a_second_proof_and_nothing_else() {
    let world = World::start(2, |_| Act::Prove(60));
    let job = world.begin(1).await;
    assert!(world.broker.revoke(job.id));
    let first = world.result().await;
    assert_eq!(first.id, job.id);
    let second = world.result().await;
    assert_eq!(second.id, job.id);
    world.until_idle().await;
    assert_eq!(world.calls().len(), 2);
    let kept = world.ledger.result(job.id).await.unwrap().unwrap();
    assert_eq!(&kept.reply, proof_in(&first), "the first result stays");
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_is_away_costs_no_proof() {
    let world = World::start(1, |_| Act::Prove(30));
    let job = world.begin(1).await;
    world.broker.set_away(true);
    sleep(seconds(120)).await;
    world.broker.set_away(false);
    assert_eq!(world.result().await.id, job.id);
    world.until_idle().await;
    assert_eq!(world.calls().len(), 1);
}
