//! Callers in this process.

use zkwhirl_ledger::Ticket;

use super::*;
use crate::tickets::LOCAL;

#[tokio::test]
async fn a_caller_and_falafel_who_ask_for_the_same_wait_for_one_job() {
    let world = World::start().await;
    let ticket = world.falafel.ask_proof(claim(1));
    let callers = [world.ask(claim(1)), world.ask(claim(1))];
    world.until_taken(3).await;
    let held = world.claim_one(Topic::Inner).await;
    world.prove(held).await;
    assert_eq!(world.until_answered(ticket).await, proof_of(1));
    for caller in callers {
        assert_eq!(caller.await.unwrap(), Ok(proof_of(1)));
    }
    let stats = world.stats();
    assert_eq!((stats.jobs, stats.joined), (1, 2));
    world.until_state(claim_id(1), JobState::Delivered).await;
    // It is stored: no worker is there any more.
    assert_eq!(world.ask(claim(1)).await.unwrap(), Ok(proof_of(1)));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_does_not_take_the_job_along() {
    let world = World::for_callers();
    let caller = world.ask(claim(1));
    let held = world.claim_one(Topic::Inner).await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    // Several comparisons of ledger and broker.
    sleep(3 * world.timing.reconcile_every).await;
    world.prove(held).await;
    world.until_state(claim_id(1), JobState::Delivered).await;
    assert_eq!(world.ledger.open_tickets().await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn a_caller_is_told_what_is_wrong_with_a_request_and_nothing_is_taken() {
    let world = World::for_callers();
    let error = world.ask(NONSENSE).await.unwrap().unwrap_err();
    assert!(matches!(error, AskError::Inadmissible(_)));
    assert!(error.to_string().contains("proof id is 9"), "{error}");
    assert_eq!(world.stats().tickets, 0);
}

#[tokio::test]
async fn a_job_that_was_given_up_on_is_an_answer_to_a_caller_and_none_to_falafel() {
    let world = World::start().await;
    let ticket = world.falafel.ask_proof(claim(1));
    let caller = world.ask(claim(1));
    let bad = world.worker(|_| Bytes::from_static(b"forged"));
    let error = caller.await.unwrap().unwrap_err();
    assert!(error.to_string().contains("pairing is not one"), "{error}");
    world.until_state(claim_id(1), JobState::Dead).await;
    bad.abort();
    // Who asks later is told the same.
    let again = world.ask(claim(1)).await.unwrap();
    assert_eq!(again.unwrap_err().to_string(), error.to_string());
    let open = world.ledger.tickets_of(claim_id(1)).await.unwrap();
    let open: Vec<_> = open.iter().map(|ticket| ticket.id).collect();
    assert_eq!(open, [ticket], "falafel's lease is kept");
    world.falafel.assert_no_nack();
}

#[tokio::test(start_paused = true)]
async fn an_operator_s_no_reaches_a_caller_and_is_no_nack() {
    let world = World::for_callers();
    let caller = world.ask(claim(1));
    world.until_taken(1).await;
    let told = world.handle.reject(claim_id(1), "not today").await;
    assert_eq!(told, Ok(1));
    let rejected = AskError::Rejected("not today".into());
    assert_eq!(caller.await.unwrap(), Err(rejected));
    assert_eq!(world.stats().nacks, 0);
}

#[tokio::test(start_paused = true)]
async fn a_bridge_that_stops_says_so_and_leaves_no_ticket_of_a_caller() {
    let mut world = World::for_callers();
    let caller = world.ask(claim(1));
    world.until_taken(1).await;
    world.stop_bridge().await;
    assert_eq!(caller.await.unwrap(), Err(AskError::Stopping));
    assert_eq!(world.ledger.open_tickets().await.unwrap(), []);
}

#[tokio::test]
async fn callers_of_a_bridge_that_was_killed_are_forgotten_by_the_next() {
    let mut world = World::start().await;
    let caller = world.ask(claim(2));
    world.until_taken(1).await;
    world.stop_bridge().await;
    assert_eq!(caller.await.unwrap(), Err(AskError::Stopping));
    // As if it had been killed instead: a ticket of its own is still there.
    let frame = claim_frame(TicketId([7; 32]), 1);
    let record = ledger::JobRecord::of_frame(&frame);
    let ticket = Ticket {
        id: frame.ticket,
        upstream: LOCAL.to_owned(),
        job: record.id,
        taken_at_ms: 0,
    };
    let taken = world.ledger.take(&ticket, &record, &frame.data).await;
    assert!(taken.unwrap().new_ticket);
    world.start_bridge();
    let forgotten = || async { world.ledger.open_tickets().await == Ok(Vec::new()) };
    eventually("its ticket is closed", forgotten).await;
}

#[tokio::test]
async fn one_that_takes_no_more_answers_what_it_has() {
    let world = World::start().await;
    let first = world.falafel.ask_proof(claim(1));
    let held = world.claim_one(Topic::Inner).await;
    world.handle.take_no_more();
    let refused = world.ask(claim(2)).await.unwrap();
    assert_eq!(refused, Err(AskError::Stopping));
    let second = world.falafel.ask_proof(claim(3));
    world.prove(held).await;
    assert_eq!(world.until_answered(first).await, proof_of(1));
    assert_eq!(world.stats().tickets, 1);
    assert!(!world.falafel.was_pinged(second), "another may have it");
}
