//! Bridges on a real Redis that hangs, forgets, or is shared.

use zkwhirl_ledger::redis::{RedisLedger, testkit::watchful};
use zkwhirl_redis::testkit::RedisServer;

use super::{
    fleet::{Peer, until_taken_by},
    *,
};

/// At production's speed.
const FALAFELS_LEASE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_redis_that_hangs_longer_than_a_lease_costs_no_ticket() {
    let (server, world) = (RedisServer::start(), World::without_bridge(LEASE));
    let mut config = watchful(server.address());
    config.timeout = Duration::from_secs(1);
    let bridge = Peer::on_redis(&world, "a", &config);
    let mut tickets = bridge.takes(&world, 1..3).await;
    server.pause();
    let paused = Instant::now();
    let _worker = world.worker(proof);
    // This one is pinged before the ledger knows it.
    tickets.push(world.falafel.ask_proof(claim(3)));
    let lease_over = paused + LEASE + Duration::from_secs(1);
    world.until_pinged_since(&tickets, lease_over).await;
    world.assert_issued(&tickets, 1);
    let answered = |ticket: &TicketId| world.falafel.answer(*ticket).is_some();
    assert!(!tickets.iter().any(answered));
    server.resume();
    world.until_all_answered(&tickets).await;
    world.assert_issued(&tickets, 1);
    bridge.leave().await;
}

#[tokio::test]
async fn a_flushed_redis_costs_work_and_no_ticket() {
    let server = RedisServer::start();
    let world = World::without_bridge(Duration::from_secs(2));
    let bridge = Peer::on_redis(&world, "a", &watchful(server.address()));
    let tickets = bridge.takes(&world, 0..20).await;
    server.command::<()>(&["FLUSHALL"]);
    world.until_all_proved(&tickets).await;
    bridge.until_open(0).await;
    bridge.leave().await;
}

#[tokio::test]
async fn two_bridges_share_a_ledger_and_one_finishes_what_the_other_left() {
    let server = RedisServer::start();
    let world = World::without_bridge(Duration::from_secs(2));
    let config = watchful(server.address());
    let [first, second] = ["a", "b"].map(|name| Peer::on_redis(&world, name, &config));
    let tickets = world.ask_claims(0..30);
    until_taken_by([&first, &second], 30).await;
    first.leave().await;
    world.until_all_proved(&tickets).await;
    let ledger = RedisLedger::new(config).unwrap();
    let closed = async || ledger.open_tickets().await == Ok(Vec::new());
    eventually("no ticket is open", closed).await;
    second.leave().await;
}

#[tokio::test]
async fn one_that_is_killed_is_followed_in_time_and_takes_over_when_it_is_back() {
    let server = RedisServer::start();
    let mut world = World::without_bridge(FALAFELS_LEASE);
    world.timing.reissue = Duration::from_secs(600);
    let config = watchful(server.address());
    let a = Peer::on_redis(&world, "a", &config);
    let tickets = a.takes(&world, 0..100).await;
    a.kill();
    let started = Instant::now();
    let a = Peer::on_redis(&world, "a", &config);
    a.until_open(100).await;
    assert!(started.elapsed() < Duration::from_secs(1));
    let b = Peer::on_redis(&world, "b", &config);
    b.until_member().await;
    a.kill();
    let killed = Instant::now();
    b.until_open(100).await;
    assert!(killed.elapsed() < FALAFELS_LEASE, "{:?}", killed.elapsed());
    let lease_over = killed + FALAFELS_LEASE + Duration::from_secs(1);
    world.until_pinged_since(&tickets, lease_over).await;
    // All but the one that the second start of a asked about.
    assert!(world.reissues(&tickets) <= 1);
    world.until_all_proved(&tickets).await;
    b.until_open(0).await;
}

#[tokio::test]
async fn a_redis_that_hangs_longer_than_heartbeats_and_leases_costs_no_ticket() {
    let server = RedisServer::start();
    let world = World::without_bridge(FALAFELS_LEASE);
    let mut config = watchful(server.address());
    config.timeout = Duration::from_secs(1);
    let [a, b] = ["a", "b"].map(|name| Peer::on_redis(&world, name, &config));
    for peer in [&a, &b] {
        peer.until_member().await;
    }
    let tickets = world.ask_claims(0..40);
    until_taken_by([&a, &b], 40).await;
    server.pause();
    let away = Instant::now();
    world
        .until_pinged_since(&tickets, away + 2 * FALAFELS_LEASE)
        .await;
    server.resume();
    for peer in [&a, &b] {
        let again = |stats: &BridgeStats| stats.rejoined > 0;
        peer.until("it joins again", again).await;
    }
    world.until_all_proved(&tickets).await;
    world.assert_issued(&tickets, 1);
}

#[tokio::test]
async fn a_flushed_redis_costs_two_bridges_work_and_no_ticket() {
    let server = RedisServer::start();
    let world = World::without_bridge(FALAFELS_LEASE);
    let config = watchful(server.address());
    let [a, b] = ["a", "b"].map(|name| Peer::on_redis(&world, name, &config));
    for peer in [&a, &b] {
        peer.until_member().await;
    }
    let tickets = world.ask_claims(0..40);
    until_taken_by([&a, &b], 40).await;
    server.command::<()>(&["FLUSHALL"]);
    until_taken_by([&a, &b], 80).await;
    world.until_all_proved(&tickets).await;
    world.assert_issued(&tickets, 2);
}
