//! From results to answers.

use super::*;

#[tokio::test]
async fn an_answer_is_sent_until_it_is_taken() {
    let world = World::start().await;
    world.falafel.seen().refuse_answers = 7;
    let _worker = world.worker(proof);
    let ticket = world.falafel.ask_proof(claim(1));
    world.until_answered(ticket).await;
    assert_eq!(world.falafel.seen().refuse_answers, 0);
    // Its lease was kept meanwhile.
    world.assert_issued(&[ticket], 1);
}

#[tokio::test]
async fn a_reply_that_does_not_verify_is_proved_again_and_never_sent() {
    let mut world = World::start().await;
    let replies = |job: &JobEnvelope| match job.attempt {
        1 => Bytes::from_static(b"forged"),
        2 => Bytes::new(),
        3 => Bytes::from_static(b"proof that panics"),
        _ => proof(job),
    };
    let _worker = world.worker(replies);
    let ticket = world.falafel.ask_proof(claim(1));
    assert_eq!(world.until_answered(ticket).await, proof_of(1));
    assert_eq!(world.stats().unverified, 3);
    let attempts = world.ledger.attempts(claim_id(1)).await.unwrap();
    let reasons: Vec<_> = attempts.iter().map(|a| a.failure.to_string()).collect();
    assert_eq!(
        reasons,
        [
            "prover: its reply does not verify: pairing is not one",
            "prover: its reply does not verify: the reply to a claim job is empty",
            "prover: its reply does not verify: the verifier panicked over it",
        ]
    );
    assert_eq!(world.falafel.seen().answers.len(), 1);
    let happened = world.happened();
    for what in ["unverified", "retrying"] {
        assert!(happened.contains(&(claim_id(1), what)), "{happened:?}");
    }
    world.falafel.assert_no_nack();
}

#[tokio::test]
async fn a_job_whose_replies_never_verify_is_parked_with_its_history() {
    let world = World::start().await;
    let _worker = world.worker(|_| Bytes::from_static(b"forged"));
    let ticket = world.falafel.ask_proof(claim(1));
    world.until_state(claim_id(1), JobState::Dead).await;
    let letter = world.letter(claim_id(1)).await.unwrap();
    assert_eq!(letter.history.len(), 5);
    let used_up = letter.reason.contains("5 attempts used up");
    assert!(used_up, "{}", letter.reason);
    assert!(world.falafel.seen().answers.is_empty());
    world.until_open(1).await;
    world.assert_issued(&[ticket], 1);
}

#[tokio::test]
async fn a_result_that_comes_twice_is_answered_once() {
    let world = World::start().await;
    let ticket = world.falafel.ask_proof(claim(1));
    let job = world.claim_one(Topic::Inner).await;
    for _ in 0..2 {
        world.reply(&job, proof(&job)).await;
    }
    let id = job.id;
    world.prove(job).await;
    world.until_answered(ticket).await;
    world.until_state(id, JobState::Delivered).await;
    let missing = || async {
        let all = world.broker.missing(Topic::Inner, &[id]).await.unwrap();
        all == [id]
    };
    eventually("all three are acknowledged", missing).await;
    assert_eq!(world.falafel.seen().answers.len(), 1);
}

#[tokio::test]
async fn a_stored_result_that_rotted_is_proved_again() {
    let world = World::start().await;
    let _worker = world.worker(proof);
    for _ in 0..2 {
        let ticket = world.falafel.ask_proof(claim(1));
        world.until_answered(ticket).await;
        world.until_state(claim_id(1), JobState::Delivered).await;
        world.ledger.drop_result(claim_id(1)).await.unwrap();
    }
}

#[tokio::test]
async fn results_of_unknown_jobs_are_dropped_and_counted() {
    let world = World::start().await;
    let stray = zkwhirl_testkit::claim_job(1);
    world.reply(&stray, proof(&stray)).await;
    world
        .until("it is counted", |stats| stats.strays == 1)
        .await;
    assert!(world.falafel.seen().answers.is_empty());
}
