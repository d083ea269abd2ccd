//! Jobs that are proved.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_job_is_proved_stored_announced_and_acknowledged() {
    let mut world = World::start(1, |_| Act::Prove(Duration::from_secs(5)));
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
    let world = World::start(1, |_| Act::Prove(Duration::from_millis(1)));
    for n in 0..900 {
        world.publish(n).await;
    }
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
    let world = World::start(4, |_| Act::Prove(Duration::from_secs(10)));
    let start = Instant::now();
    for n in 0..40 {
        world.publish(n).await;
    }
    for _ in 0..40 {
        world.result().await;
    }
    assert_eq!(start.elapsed().as_secs(), 100);
    for slot in 0..4 {
        let name = format!("w/{slot}");
        let own = world
            .calls()
            .iter()
            .filter(|call| call.slot == name)
            .count();
        assert_eq!(own, 10);
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
    let note = ledger::Note::default();
    let taken = [JobState::Taken];
    let gone = world
        .ledger
        .transition(unwanted.id, &taken, JobState::Withdrawn, &note);
    assert!(gone.await.unwrap());
    world.work(1, |_| Act::Prove(Duration::from_secs(1)));
    assert_eq!(world.result().await.id, wanted.id);
    world.until_idle().await;
    assert_eq!(world.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_large_request_comes_from_the_ledger() {
    let world = World::start(1, |_| Act::Prove(Duration::from_secs(1)));
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
    let world = World::start(2, |_| Act::Prove(Duration::from_secs(60)));
    let job = world.publish(1).await;
    world.began.notified().await;
    assert!(world.broker.revoke(job.id));
    let first = world.result().await;
    assert_eq!(first.id, job.id);
    let second = world.result().await;
    assert_eq!(second.id, job.id);
    world.until_idle().await;
    let slots: Vec<_> = world.calls().into_iter().map(|call| call.slot).collect();
    assert_eq!(slots.len(), 2);
    let kept = world.ledger.result(job.id).await.unwrap().unwrap();
    assert_eq!(&kept.reply, proof_in(&first), "the first result stays");
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_is_away_costs_no_proof() {
    let world = World::start(1, |_| Act::Prove(Duration::from_secs(30)));
    let job = world.publish(1).await;
    world.began.notified().await;
    world.broker.set_away(true);
    sleep(Duration::from_secs(120)).await;
    world.broker.set_away(false);
    assert_eq!(world.result().await.id, job.id);
    world.until_idle().await;
    assert_eq!(world.calls().len(), 1);
}
