//! Upstreams and brokers that misbehave.

use super::*;
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
    let ticket = world.falafel.ask_proof(claim(1));
    world.claim_one(Topic::Inner).await;
    eventually("it is pinged", || async {
        world.falafel.was_pinged(ticket)
    })
    .await;
    assert_eq!(world.stats().tickets, 1);
}

#[tokio::test]
async fn one_poll_is_out_however_long_it_takes() {
    let world = World::start().await;
    eventually("a poll", || async { world.falafel.seen().polls == 1 }).await;
    // Twenty of the client's shortest periods later it is still the same.
    let ticket = world.falafel.ask_proof(claim(1));
    let pinged = || async { world.handle().parts.jobs.tickets.lease_stats().pings() > 10 };
    eventually("time passes", pinged).await;
    assert_eq!(
        world.falafel.seen().polls,
        2,
        "one before the job, one after"
    );
    assert!(world.falafel.was_pinged(ticket));
}

#[tokio::test]
async fn an_upstream_that_is_closed_does_not_disturb_the_other() {
    let mut world = World::without_bridge(LEASE);
    let closed = {
        let other = Stub::start(LEASE);
        other.url()
    };
    world.upstreams.push(Upstream::optional("outer", closed));
    world.start_bridge();
    let _worker = world.worker(proof);
    for n in 0..5 {
        let ticket = world.falafel.ask_proof(claim(n));
        world.until_answered(ticket).await;
    }
    let outer = &world.stats().upstreams[1];
    assert_eq!((outer.name.as_str(), outer.reachable), ("outer", false));
    eventually("it keeps trying", || async {
        world.stats().upstreams[1].polls > 3
    })
    .await;
}

#[tokio::test]
async fn an_upstream_may_come_later() {
    let mut world = World::without_bridge(LEASE);
    world.falafel.stop();
    world.start_bridge();
    eventually("it tries", || async {
        world.stats().upstreams[0].polls > 2
    })
    .await;
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
    let bad = world.falafel.ask_proof(vec![0, 0, 0, 9]);
    world.until_taken(2).await;
    let pinged = || async { world.handle().parts.jobs.tickets.lease_stats().pings() > 2 * 25 };
    eventually("more than a lease goes by", pinged).await;
    for ticket in [good, bad] {
        assert_eq!(world.falafel.issued(ticket), 1);
    }
    world.broker.set_away(false);
    let _worker = world.worker(proof);
    world.until_answered(good).await;
    let parked = JobId::of(Command::CreateProof, &[0, 0, 0, 9]);
    world.until_state(parked, JobState::Dead).await;
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
    let _worker = world.worker(proof);
    for ticket in tickets {
        world.until_answered(ticket).await;
        assert_eq!(world.falafel.issued(ticket), 1);
    }
    assert_eq!(world.stats().republished, 3);
}

#[tokio::test]
async fn a_job_that_no_worker_survives_is_parked_and_others_go_on() {
    let world = World::start().await;
    let poison = world.falafel.ask_proof(claim(1));
    let good = world.falafel.ask_proof(claim(2));
    for _ in 0..=broker::DELIVERY_LIMIT {
        let mut jobs = world.broker.subscribe(&[Topic::Inner], "w").await.unwrap();
        let delivery = jobs.claim().await.unwrap();
        assert_eq!(delivery.job.id, claim_id(1));
    }
    let _worker = world.worker(proof);
    world.until_answered(good).await;
    world.until_state(claim_id(1), JobState::Dead).await;
    let stats = world.stats();
    assert_eq!((stats.parked, stats.open_tickets), (1, 1));
    assert_eq!(world.falafel.issued(poison), 1);
    world.falafel.assert_no_nack();
}

#[tokio::test]
async fn a_ledger_that_was_wiped_costs_work_and_no_ticket() {
    let world = World::start_with(Duration::from_secs(1)).await;
    let ticket = world.falafel.ask_proof(claim(1));
    world.claim_one(Topic::Inner).await;
    world.ledger.wipe();
    let _worker = world.worker(proof);
    world.until_answered(ticket).await;
    assert_eq!(world.falafel.issued(ticket), 2, "it came again, unpinged");
}
