//! kill -9 of each part around a job.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use crate::stage::Fleet;

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_in_mid_job_is_replaced_at_once_and_falafel_notices_nothing() {
    let fleet = Fleet::start(1).await;
    let _bridge = fleet.bridge("bridge");
    let doomed = fleet.worker("doomed", 600_000);
    fleet.until_issued(1).await;
    // It holds the only job there is; nobody else could have it.
    sleep(Duration::from_secs(2)).await;
    let _heir = fleet.worker("heir", 10);
    sleep(Duration::from_secs(2)).await;
    let killed = Instant::now();
    doomed.kill();
    fleet.until_settled().await;
    // Three jobs of 10 ms; what is left is how long the hand-over took.
    let took = killed.elapsed();
    fleet.no_ticket_was_issued_more_often_than(1);
    assert!(took < Duration::from_secs(60), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_in_the_root_phase_is_replaced_and_the_rollup_settles() {
    let fleet = Fleet::start(1).await;
    let _bridge = fleet.bridge("bridge");
    let _inner = fleet.worker_of("inner", "inner", 10);
    let doomed = fleet.worker_of("outer", "doomed", 600_000);
    // A claim, two inner rollups, and the root rollup by the one that dies.
    fleet.until_claimed(4).await;
    doomed.kill();
    let _heir = fleet.worker_of("outer", "heir", 10);
    fleet.until_settled().await;
    assert_eq!(fleet.falafel.progress().verified, 5);
    fleet.no_ticket_was_issued_more_often_than(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_that_is_killed_and_started_again_loses_nothing() {
    let fleet = Fleet::start(6).await;
    let first = fleet.bridge("bridge");
    fleet.until_issued(6).await;
    first.kill();
    let _second = fleet.bridge("bridge");
    let _worker = fleet.worker("one", 10);
    fleet.until_settled().await;
    // The dead bridge's poll swallows one hand-out; nothing comes thrice.
    fleet.no_ticket_was_issued_more_often_than(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_two_bridges_the_death_of_one_is_no_event() {
    let fleet = Fleet::start(6).await;
    let first = fleet.bridge("bridge-a");
    fleet.until_issued(6).await;
    let _second = fleet.bridge("bridge-b");
    sleep(Duration::from_secs(2)).await;
    first.kill();
    let _worker = fleet.worker("one", 10);
    fleet.until_settled().await;
    fleet.no_ticket_was_issued_more_often_than(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn rabbitmq_killed_under_the_load_costs_time_only() {
    let fleet = Fleet::start(6).await;
    let _bridge = fleet.bridge("bridge");
    let _worker = fleet.worker("one", 400);
    fleet.until_verified(2).await;
    fleet.services.act("kill", "rabbitmq1");
    sleep(Duration::from_secs(7)).await;
    fleet.services.act("start", "rabbitmq1");
    fleet.until_settled().await;
    fleet.no_ticket_was_issued_more_often_than(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_hangs_longer_than_a_lease_costs_time_only() {
    let fleet = Fleet::start(6).await;
    let _bridge = fleet.bridge("bridge");
    let _worker = fleet.worker("one", 400);
    fleet.until_verified(2).await;
    let redis = Pid::from_raw(fleet.services.pid("redis")).unwrap();
    kill_process(redis, Signal::STOP).unwrap();
    sleep(Duration::from_secs(8)).await;
    kill_process(redis, Signal::CONT).unwrap();
    fleet.until_settled().await;
    fleet.no_ticket_was_issued_more_often_than(1);
}
