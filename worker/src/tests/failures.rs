//! Provers that fail.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_prover_that_dies_costs_an_attempt_and_another_slot_proves() {
    let mut world = World::start(2, at_first(Act::Fail(Failure::prover("signal 9"))));
    let job = world.publish(1).await;
    let result = world.result().await;
    assert_eq!(result.attempt, 2);
    let calls = world.calls();
    assert_ne!(calls[0].slot, calls[1].slot, "another slot");
    let pause = calls[1].at - calls[0].at;
    assert!(pause >= seconds(10), "after the rung's delay");
    let attempts = world.attempts(job.id).await;
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0].worker, calls[0].slot);
    assert_eq!(attempts[0].failure, Failure::prover("signal 9"));
    world.until_idle().await;
    let happened = world.happened();
    assert!(happened.contains(&"retrying"), "{happened:?}");
}

#[tokio::test(start_paused = true)]
async fn a_false_statement_is_parked_after_a_second_opinion() {
    let bad = request_of(&claim_job(1));
    let world = World::start(2, move |call| match call.request == bad {
        true => Act::Fail(Failure::invalid("claim: output a is 7, must be 9")),
        false => Act::Prove(1),
    });
    let job = world.publish(1).await;
    world.publish_all(2..6).await;
    for _ in 2..6 {
        proof_in(&world.result().await);
    }
    let dead = world.result().await;
    let Outcome::Dead(failure) = dead.outcome else {
        panic!("{dead:?}");
    };
    let reason = format!(
        "job {} parked: it can never be proved: claim: output a is 7, must be 9 (first found by ",
        job.id.short()
    );
    assert!(failure.reason.starts_with(&reason), "{}", failure.reason);
    world.until_idle().await;
    let letter = world.letter(job.id).await;
    assert_eq!(letter.reason, failure.reason);
    assert_eq!(letter.history.len(), 2);
    assert_ne!(letter.history[0].worker, letter.history[1].worker);
    // The request is to blame, not the prover.
    assert_eq!(world.healed(), []);
}

#[tokio::test(start_paused = true)]
async fn a_lone_slot_gives_the_second_opinion_itself() {
    let world = World::start(1, |_| Act::Fail(Failure::invalid("no")));
    let job = world.publish(1).await;
    let dead = world.result().await;
    assert!(matches!(dead.outcome, Outcome::Dead(_)));
    world.until_idle().await;
    assert_eq!(world.calls().len(), 2);
    assert!(world.broker.dead_letter(job.id).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn attempts_that_are_used_up_are_a_dead_letter_with_their_history() {
    let world = World::start(2, |_| Act::Fail(Failure::prover("signal 9")));
    let job = world.publish(1).await;
    let dead = world.result().await;
    assert_eq!(dead.attempt, 5);
    world.until_idle().await;
    let letter = world.letter(job.id).await;
    let numbers: Vec<_> = letter.history.iter().map(|record| record.attempt).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
    let reason = "5 attempts used up, the last: prover: signal 9";
    assert!(letter.reason.ends_with(reason), "{}", letter.reason);
    assert_eq!(world.calls().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure_and_the_slot_lives_on() {
    let world = World::start(1, at_first(Act::Panic));
    let job = world.publish(1).await;
    assert_eq!(world.result().await.attempt, 2);
    let failure = &world.attempts(job.id).await[0].failure;
    assert_eq!(*failure, Failure::prover("the prover panicked: scripted"));
    // Before anything else.
    assert_eq!(world.healings(), ["restart", "self-test"]);
}

#[tokio::test(start_paused = true)]
async fn a_prover_that_hangs_is_given_up_on_after_its_deadline() {
    let world = World::start(1, at_first(Act::Hang));
    let job = world.publish(1).await;
    assert_eq!(world.result().await.attempt, 2);
    let calls = world.calls();
    let pause = calls[1].at - calls[0].at;
    assert!(pause >= seconds(610), "deadline and patience");
    let reason = &world.attempts(job.id).await[0].failure.reason;
    assert_eq!(reason, "the prover gave no answer within 600s and hangs");
    assert_eq!(world.healed()[0].1, "restart");
}

#[tokio::test(start_paused = true)]
async fn a_slot_that_fails_twice_in_a_row_leaves_until_it_is_well() {
    let mut world = World::new();
    world.log.lock().unwrap().self_tests_fail = 3;
    // The first slot fails every job.
    world.work(2, |call| match call.slot.as_str() {
        "w/0" if call.at.elapsed() < seconds(3600) && call.before == 0 => {
            Act::Fail(Failure::prover("out of memory"))
        }
        _ => Act::Prove(5),
    });
    world.publish_all(0..30).await;
    for _ in 0..30 {
        proof_in(&world.result().await);
    }
    let healed = world.healed();
    let of_ill = healed.iter().filter(|(slot, _)| slot == "w/0");
    let of_ill: Vec<_> = of_ill.map(|(_, what)| *what).collect();
    assert_eq!(of_ill[..8], ["restart", "self-test"].repeat(4)[..]);
    assert!(healed.iter().all(|(slot, _)| slot == "w/0"));
    world.until_idle().await;
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_falafel_could_not_read_is_a_failure() {
    let world = World::start(1, |call| match call.before {
        0 => Act::Reply(Bytes::new()),
        1 => Act::Reply(vec![0; zkwhirl_job::limits::REPLY_BYTES + 1].into()),
        _ => Act::Prove(1),
    });
    let job = world.publish(1).await;
    assert_eq!(world.result().await.attempt, 3);
    let attempts = world.attempts(job.id).await;
    let reasons: Vec<_> = attempts.iter().map(|a| a.failure.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "the prover's reply has 0 bytes, must have from 1 to 2097152",
            "the prover's reply has 2097153 bytes, must have from 1 to 2097152",
        ]
    );
}

/// A later release may name jobs by another hash.
#[tokio::test(start_paused = true)]
async fn a_job_is_proved_whatever_its_id_is() {
    let world = World::start(1, |_| Act::Prove(1));
    let job = JobEnvelope {
        id: JobId([7; 32]),
        ..claim_job(1)
    };
    world.broker.publish(&job, None).await.unwrap();
    let result = world.result().await;
    assert_eq!(result.id, job.id);
    assert_eq!(*proof_in(&result), reply_to(&request_of(&job)));
}
