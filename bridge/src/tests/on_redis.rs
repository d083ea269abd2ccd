//! A bridge on a real Redis that hangs, forgets, or is shared.

use zkwhirl_ledger::redis::{RedisLedger, testkit::watchful};
use zkwhirl_redis::testkit::RedisServer;

use super::{
    fleet::{Peer, until_taken_by},
    *,
};

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
    let _worker = world.worker(proof);
    world.until_all_answered(&tickets).await;
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
    let _worker = world.worker(proof);
    world.until_all_answered(&tickets).await;
    let ledger = RedisLedger::new(config).unwrap();
    let closed = async || ledger.open_tickets().await == Ok(Vec::new());
    eventually("no ticket is open", closed).await;
    second.leave().await;
}
