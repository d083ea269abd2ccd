//! Upstreams and brokers that misbehave.

use zkwhirl_telemetry::{Recorded, catalogue::bridge::DEAD_LETTERED};

use super::*;
use broker::DeadClass;
use zkwhirl_testkit::stub::Odd;

#[tokio::test]
async fn nonsense_from_falafel_is_survived() {
    let world = World::start().await;
    for odd in [
        Odd::Empty,
        Odd::Status(500),
        Odd::Status(404),
        Odd::Status(302),
        Odd::Body(b"<html>bad gateway</html>".to_vec()),
        Odd::Empty,
    ] {
        world.falafel.say(odd);
    }
    let _worker = world.worker(proof);
    let ticket = world.falafel.ask_proof(claim(1));
    world.until_answered(ticket).await;
    assert_eq!(world.stats().tickets, 1);
    assert!(world.falafel.seen().polls >= 7);
}

#[tokio::test]
async fn an_error_page_that_looks_like_a_frame_is_no_job() {
    let world = World::start().await;
    // 100 bytes: enough for a header, if the status were not looked at.
    world.falafel.say(Odd::Status(503));
    let started = Instant::now();
    let ticket = world.falafel.ask_proof(claim(1));
    world.claim_one(Topic::Inner).await;
    world.until_pinged_since(&[ticket], started).await;
    assert_eq!(world.stats().tickets, 1);
}

#[tokio::test]
async fn one_poll_is_out_however_long_it_takes() {
    let world = World::start().await;
    world.until_polled(1).await;
    // Twenty of the client's shortest periods later it is still the same.
    let ticket = world.falafel.ask_proof(claim(1));
    let later = Instant::now() + Duration::from_secs(2);
    world.until_pinged_since(&[ticket], later).await;
    let polls = world.falafel.seen().polls;
    assert_eq!(polls, 2, "one before the job, one after");
}

#[tokio::test]
async fn an_upstream_that_is_closed_does_not_disturb_the_other() {
    let mut world = World::without_bridge(LEASE);
    let closed = Stub::start(LEASE).url();
    world.upstreams.push(Upstream::optional("outer", closed));
    world.start_bridge();
    let _worker = world.worker(proof);
    for n in 0..5 {
        let ticket = world.falafel.ask_proof(claim(n));
        world.until_answered(ticket).await;
    }
    let outer = &world.stats().upstreams[1];
    assert_eq!((outer.name.as_str(), outer.reachable), ("outer", false));
    let tries = |stats: &BridgeStats| stats.upstreams[1].polls > 3;
    world.until("it keeps trying", tries).await;
}

#[tokio::test]
async fn an_upstream_may_come_later() {
    let mut world = World::without_bridge(LEASE);
    world.falafel.stop();
    world.start_bridge();
    let tries = |stats: &BridgeStats| stats.upstreams[0].polls > 2;
    world.until("it tries", tries).await;
    world.falafel.resume();
    let _worker = world.worker(proof);
    let ticket = world.falafel.ask_proof(claim(1));
    world.until_answered(ticket).await;
}

#[tokio::test]
async fn tickets_stay_pinged_while_the_broker_is_away() {
    let world = World::start().await;
    world.broker.set_away(true);
    let good = world.falafel.ask_proof(claim(1));
    let bad = world.falafel.ask_proof(NONSENSE);
    world.until_taken(2).await;
    let lease_over = Instant::now() + LEASE + Duration::from_secs(1);
    world.until_pinged_since(&[good, bad], lease_over).await;
    world.assert_issued(&[good, bad], 1);
    world.broker.set_away(false);
    world.until_all_proved(&[good]).await;
    world.until_state(nonsense_id(), JobState::Dead).await;
    assert_eq!(world.stats().reissues, 0);
}

#[tokio::test]
async fn jobs_that_the_broker_lost_are_published_again() {
    let world = World::start().await;
    let tickets = [1, 2, 3].map(|n| world.falafel.ask_proof(claim(n)));
    for n in 1..=3 {
        world.until_state(claim_id(n), JobState::Queued).await;
    }
    world.broker.wipe();
    world.until_all_proved(&tickets).await;
    world.assert_issued(&tickets, 1);
    assert_eq!(world.stats().republished, 3);
}

#[tokio::test]
async fn a_job_that_no_worker_survives_is_parked_and_others_go_on() {
    let world = World::start().await;
    let poison = world.falafel.ask_proof(claim(1));
    let good = world.falafel.ask_proof(claim(2));
    for _ in 0..=broker::DELIVERY_LIMIT {
        assert_eq!(world.claim_one(Topic::Inner).await.id, claim_id(1));
    }
    world.until_all_proved(&[good]).await;
    world.until_state(claim_id(1), JobState::Dead).await;
    world.until("parked", |stats| stats.parked == 1).await;
    world.until_open(1).await;
    world.assert_issued(&[poison], 1);
    world.falafel.assert_no_nack();
}

#[tokio::test]
async fn a_ledger_that_was_wiped_costs_work_and_no_ticket() {
    let world = World::start_with(Duration::from_secs(1)).await;
    let ticket = world.falafel.ask_proof(claim(1));
    world.claim_one(Topic::Inner).await;
    world.ledger.wipe();
    world.until_all_proved(&[ticket]).await;
    // It came again, unpinged.
    world.assert_issued(&[ticket], 2);
}

/// The broker gives a job up, and its letter says why.
#[tokio::test]
async fn a_dead_letter_that_the_broker_wrote_is_counted_by_its_class() {
    for (class, reason) in [
        (DeadClass::Crashes, "crashes"),
        (DeadClass::Damaged, "damaged"),
        (DeadClass::Version, "version"),
        (DeadClass::Failed, "request"),
    ] {
        let recorded = Recorded::default();
        let _recording = recorded.record();
        let world = World::for_callers();
        let _caller = world.ask(claim(1));
        let held = world.claim_one(Topic::Inner).await;
        let mut letter = broker::DeadLetter::of(&held, "for the test", 0);
        letter.class = class;
        world.broker.bury(&letter).await.unwrap();
        world.until_state(claim_id(1), JobState::Dead).await;
        world
            .until("it is counted", |stats| stats.parked == 1)
            .await;
        for name in ["request", "attempts", "crashes", "damaged", "version"] {
            let counted = recorded.count(&DEAD_LETTERED, ["inner", name]);
            assert_eq!(counted, u64::from(name == reason), "{reason}: {name}");
        }
    }
}
