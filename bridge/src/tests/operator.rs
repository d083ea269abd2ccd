//! Rejecting and replaying.

use super::*;

#[tokio::test]
async fn a_rejected_job_is_nacked_for_each_ticket_and_only_then() {
    let mut world = World::start().await;
    let tickets = [1, 1].map(|n| world.falafel.ask_proof(claim(n)));
    let other = world.falafel.ask_proof(claim(2));
    world.until_taken(3).await;
    let mut words = world.broker.control_messages();
    let told = world.handle.reject(claim_id(1), "operator says no").await;
    assert_eq!(told, Ok(2));
    let job = claim_id(1);
    assert_eq!(words.next().await, broker::Control::Cancel { job });
    for ticket in tickets {
        assert_eq!(world.until_answered(ticket).await, "operator says no");
        let answer = world.falafel.answer(ticket).unwrap();
        assert_eq!(answer.command, Command::Nack.code());
    }
    world.until("counted", |stats| stats.nacks == 2).await;
    assert_eq!(world.state(claim_id(1)).await, Some(JobState::Rejected));
    assert_eq!(world.falafel.answer(other), None);
    let again = world.handle.reject(claim_id(1), "again").await;
    let must = "is rejected, must be waiting: neither proved nor finished";
    let wrong_state = format!("job {} {must}", job.short());
    assert_eq!(again.unwrap_err().to_string(), wrong_state);
    let happened = world.happened();
    assert!(happened.contains(&(job, "rejected")), "{happened:?}");
}

#[tokio::test]
async fn a_rejected_request_that_is_asked_for_again_is_new_work() {
    let world = World::start().await;
    let first = world.falafel.ask_proof(claim(1));
    world.until_taken(1).await;
    world.handle.reject(claim_id(1), "no").await.unwrap();
    world.until_answered(first).await;
    let _worker = world.worker(proof);
    let second = world.falafel.ask_proof(claim(1));
    assert_eq!(world.until_answered(second).await, proof_of(1));
}

#[tokio::test]
async fn a_parked_job_is_replayed_and_delivered() {
    let mut world = World::start().await;
    let ticket = world.falafel.ask_proof(claim(1));
    let bad = world.worker(|_| Bytes::from_static(b"forged"));
    world.until_state(claim_id(1), JobState::Dead).await;
    bad.abort();
    let _good = world.worker(proof);
    world.handle.replay(claim_id(1)).await.unwrap();
    world.until_answered(ticket).await;
    assert_eq!(world.letter(claim_id(1)).await, None);
    world.assert_issued(&[ticket], 1);
    assert!(world.happened().contains(&(claim_id(1), "replayed")));
    world.falafel.assert_no_nack();
}

#[tokio::test]
async fn a_malformed_job_is_not_replayed() {
    let world = World::start().await;
    world.falafel.ask_proof(NONSENSE);
    let id = nonsense_id();
    world.until_state(id, JobState::Dead).await;
    let refused = world.handle.replay(id).await.unwrap_err().to_string();
    assert!(refused.contains("proof id is 9"), "{refused}");
    let unknown = world.handle.replay(claim_id(9)).await;
    assert_eq!(unknown, Err(OperatorError::Unknown(claim_id(9))));
}
