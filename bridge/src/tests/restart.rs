//! Bridges and Falafels that restart.

use super::*;

#[tokio::test]
async fn a_restarted_bridge_adopts_every_ticket() {
    let mut world = World::start().await;
    let queued = world.falafel.ask_proof(claim(1));
    let parked = world.falafel.ask_proof(NONSENSE);
    let proved = world.falafel.ask_proof(claim(2));
    world.until_taken(3).await;
    world.stop_bridge().await;
    let first = world.claim_one(Topic::Inner).await;
    let second = world.claim_one(Topic::Inner).await;
    for job in [first, second] {
        // Proved while no bridge was there.
        world.prove(job).await;
    }
    let before = Instant::now();
    world.start_bridge();
    let all = [queued, parked, proved];
    world.until_pinged_since(&all, before).await;
    world.until_all_answered(&[queued, proved]).await;
    world.until_open(1).await;
    assert_eq!(world.state(nonsense_id()).await, Some(JobState::Dead));
    let pinged = world.handle.state.tickets.known().pinged;
    assert!(pinged.contains(&parked), "answered, or pinged");
    world.falafel.assert_no_nack();
}

#[tokio::test]
async fn a_job_that_was_taken_and_not_published_is_published_after_a_restart() {
    let mut world = World::start().await;
    world.broker.set_away(true);
    let tickets = [1, 2, 3].map(|n| world.falafel.ask_proof(claim(n)));
    world.until_taken(3).await;
    world.stop_bridge().await;
    world.broker.set_away(false);
    world.start_bridge();
    for n in 1..=3 {
        let job = world.claim_one(Topic::Inner).await;
        assert_eq!(job.id, claim_id(n), "in their order");
        world.prove(job).await;
    }
    world.until_all_answered(&tickets).await;
}

#[tokio::test]
async fn a_lost_connection_to_a_falafel_that_remembers_changes_nothing() {
    let mut world = World::without_bridge(Duration::from_secs(1));
    world.timing.reissue = Duration::from_secs(30);
    world.start_bridge();
    let ticket = world.falafel.ask_proof(claim(1));
    world.claim_one(Topic::Inner).await;
    world.until_polled(2).await;
    world.falafel.stop();
    world.falafel.resume();
    // Let lapse on purpose, it comes again, and is pinged again.
    let again = async || world.falafel.issued(ticket) == 2;
    eventually("it comes again", again).await;
    let job = world.ledger.job(claim_id(1)).await.unwrap().unwrap();
    assert_ne!(job.state, JobState::Withdrawn);
    assert_eq!(world.stats().forgotten, 0);
    world.broker.wipe();
    world.until_all_proved(&[ticket]).await;
    assert_eq!(world.stats().reissues, 0, "provoked, so not counted");
}

#[tokio::test]
async fn tickets_that_falafel_has_forgotten_are_closed_and_their_jobs_withdrawn() {
    let mut world = World::start_with(Duration::from_millis(300)).await;
    let tickets = [1, 2].map(|n| world.falafel.ask_proof(claim(n)));
    world.until_taken(2).await;
    for n in 1..=2 {
        world.until_state(claim_id(n), JobState::Queued).await;
    }
    let proving = [JobState::Queued];
    let note = ledger::Note::default();
    let moved = world
        .ledger
        .transition(claim_id(2), &proving, JobState::Proving, &note);
    assert!(moved.await.unwrap());
    world.until_polled(3).await;
    world.falafel.stop();
    world.falafel.forget();
    world.falafel.resume();
    // The same work comes back under a new id, and is the same job.
    let back = world.falafel.ask_proof(claim(1));
    let closed = async || {
        let open = world.ledger.open_tickets().await.unwrap();
        !open.iter().any(|open| tickets.contains(&open.id))
    };
    eventually("the old are closed", closed).await;
    assert!(world.stats().forgotten >= 2);
    world.until_open(1).await;
    assert_ne!(world.state(claim_id(1)).await, Some(JobState::Withdrawn));
    assert_eq!(
        world.state(claim_id(2)).await,
        Some(JobState::Proving),
        "nearly done"
    );
    world.until_all_proved(&[back]).await;
    for ticket in tickets {
        assert_eq!(world.falafel.answer(ticket), None);
    }
    world.falafel.assert_no_nack();
}

#[tokio::test]
async fn jobs_that_nobody_waits_for_any_more_are_withdrawn_and_can_come_back() {
    let mut world = World::start_with(Duration::from_millis(300)).await;
    world.falafel.ask_proof(claim(1));
    world.until_state(claim_id(1), JobState::Queued).await;
    let mut words = world.broker.control_messages();
    world.until_polled(2).await;
    world.falafel.stop();
    world.falafel.forget();
    world.falafel.resume();
    world.until_state(claim_id(1), JobState::Withdrawn).await;
    let job = claim_id(1);
    assert_eq!(words.next().await, broker::Control::Cancel { job });
    let back = world.falafel.ask_proof(claim(1));
    world.until_all_proved(&[back]).await;
}

#[tokio::test]
async fn a_falafel_without_work_is_there_and_one_that_is_gone_is_not() {
    let mut world = World::start().await;
    let there = |stats: &BridgeStats| stats.upstreams[0].reachable;
    world.until("it lets a poll wait", there).await;
    world.falafel.stop();
    world.until("it is gone", |stats| !there(stats)).await;
    world.falafel.resume();
    world.until("it is back, without a job", there).await;
}
