//! Waiting for a worker or for Redis costs no lease.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::sleep;
use zkwhirl_redis::testkit::command;

use crate::stage::{Fleet, LEASE, claimed_again, say};

const NO_WORKER: Duration = LEASE.saturating_mul(3);
/// Longer than a lease and than ten heartbeats of a bridge.
const NO_REDIS: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn jobs_may_wait_for_a_worker_as_long_as_it_takes() {
    let fleet = Fleet::start(20).await;
    let _bridge = fleet.bridge("bridge");
    fleet.until_issued(20).await;
    sleep(NO_WORKER).await;
    assert_eq!(fleet.falafel.progress().verified, 0);
    let _worker = fleet.worker("one", 10);
    fleet.until_settled().await;
    fleet.no_ticket_was_issued_more_often_than(1);
    fleet.say_leases("20 jobs that waited 60 s for a worker");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_hangs_for_longer_than_a_lease_costs_time_only() {
    let fleet = Fleet::start(100).await;
    let _bridge = fleet.bridge("bridge");
    let _workers = ["one", "two"].map(|name| fleet.worker(name, 200));
    fleet.until_verified(10).await;
    let redis = Pid::from_raw(fleet.services.pid("redis").await).unwrap();
    kill_process(redis, Signal::STOP).unwrap();
    let before = fleet.falafel.progress().verified;
    sleep(NO_REDIS).await;
    let after = fleet.falafel.progress().verified;
    kill_process(redis, Signal::CONT).unwrap();
    assert!(after < 102, "it was over before Redis was back");
    fleet.until_settled().await;
    fleet.no_ticket_was_issued_more_often_than(1);
    fleet.say_leases("Redis stopped for 30 s");
    say(format_args!("verified meanwhile: {}", after - before));
    fleet.say_repeated_work().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_killed_and_comes_back_after_a_lease_costs_time_only() {
    let fleet = Fleet::start(100).await;
    let _bridge = fleet.bridge("bridge");
    let _workers = ["one", "two"].map(|name| fleet.worker(name, 200));
    fleet.until_verified(10).await;
    // Redis writes to disk once a second; a ticket of the last second may be lost,
    // and Falafel issues it again. From now on Redis writes before it confirms.
    let redis = fleet.services.redis.parse().unwrap();
    let set: String = command(&redis, &["CONFIG", "SET", "appendfsync", "always"]);
    assert_eq!(set, "OK");
    fleet.until_issued(100).await;
    fleet.until_happened("delivered", 15).await;
    fleet.services.act("kill", "redis").await;
    sleep(NO_REDIS).await;
    fleet.services.act("start", "redis").await;
    fleet.until_settled().await;
    fleet.no_ticket_was_issued_more_often_than(1);
    fleet.say_leases("Redis killed, and started 30 s later");
    fleet.say_repeated_work().await;
}

impl Fleet {
    async fn say_repeated_work(&self) {
        let again = claimed_again(&self.events().await);
        say(format_args!("jobs claimed again: {again}"));
    }
}
