//! Rejecting and replaying.

use super::*;

#[tokio::test]
async fn a_rejected_job_is_nacked_for_each_ticket_and_only_then() {
    let mut world = World::start().await;
    let tickets = [1, 1].map(|n| world.falafel.ask_proof(claim(n)));
    let other = world.falafel.ask_proof(claim(2));
    world.until_taken(3).await;
    let mut words = world.broker.control_messages();
    let told = world.handle().reject(claim_id(1), "operator says no").await;
    assert_eq!(told, Ok(2));
    let job = claim_id(1);
    assert_eq!(words.next().await, broker::Control::Cancel { job });
    for ticket in tickets {
        assert_eq!(world.until_answered(ticket).await, "operator says no");
        let answer = world.falafel.answer(ticket).unwrap();
        assert_eq!(answer.command, Command::Nack.code());
    }
    eventually("counted", || async { world.stats().nacks == 2 }).await;
    assert_eq!(world.state(claim_id(1)).await, Some(JobState::Rejected));
    assert_eq!(world.falafel.answer(other), None);
    let again = world.handle().reject(claim_id(1), "again").await;
    assert_eq!(
        again.unwrap_err().to_string(),
        format!(
            "job {} is rejected, must be waiting: neither proved nor finished",
            claim_id(1).short()
        )
    );
    let names: Vec<_> = world.happened().iter().map(|(_, w)| w.name()).collect();
    assert!(names.contains(&"rejected"), "{names:?}");
}

#[tokio::test]
async fn a_rejected_request_that_is_asked_for_again_is_new_work() {
    let world = World::start().await;
    let first = world.falafel.ask_proof(claim(1));
    world.until_taken(1).await;
    world.handle().reject(claim_id(1), "no").await.unwrap();
    world.until_answered(first).await;
    let _worker = world.worker(proof);
    let second = world.falafel.ask_proof(claim(1));
    let answer = world.until_answered(second).await;
    assert_eq!(answer, format!("proof of {}", claim_id(1)));
}

#[tokio::test]
async fn a_parked_job_is_replayed_and_delivered() {
    let mut world = World::start().await;
    let ticket = world.falafel.ask_proof(claim(1));
    let bad = world.worker(|_| Bytes::from_static(b"forged"));
    world.until_state(claim_id(1), JobState::Dead).await;
    bad.abort();
    let _good = world.worker(proof);
    world.handle().replay(claim_id(1)).await.unwrap();
    world.until_answered(ticket).await;
    let letter = world.broker.dead_letter(claim_id(1)).await.unwrap();
    assert_eq!(letter, None);
    assert_eq!(world.falafel.issued(ticket), 1);
    let replayed = world
        .happened()
        .contains(&(claim_id(1), JobEventKind::Replayed));
    assert!(replayed);
    world.falafel.assert_no_nack();
}

#[tokio::test]
async fn a_malformed_job_is_not_replayed() {
    let world = World::start().await;
    world.falafel.ask_proof(vec![0, 0, 0, 9]);
    let id = JobId::of(Command::CreateProof, &[0, 0, 0, 9]);
    world.until_state(id, JobState::Dead).await;
    let refused = world.handle().replay(id).await.unwrap_err().to_string();
    assert!(refused.contains("proof id is 9"), "{refused}");
    let unknown = world.handle().replay(claim_id(9)).await;
    assert_eq!(unknown, Err(OperatorError::Unknown(claim_id(9))));
}
