//! kill -9 of a worker, a bridge and RabbitMQ while a job is proved.

use tokio::time::{Instant, sleep};
use zkwhirl_falafel::job_server::ACK_TIMEOUT;
use zkwhirl_job::clock::now_ms;

use crate::stage::{Fleet, LEASE, Wanted, say};

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_in_mid_job_is_replaced_at_once_and_falafel_notices_nothing() {
    let fleet = Fleet::start(1).await;
    let _bridge = fleet.bridge("bridge");
    let doomed = fleet.worker("doomed", 600_000);
    let claimed_by_doomed = fleet.until_claimed_by("doomed/1").await;
    let (_heir, ()) = fleet.worker_at_work("heir", 10);
    let killed = now_ms();
    doomed.kill();
    let claimed_by_heir = fleet.until_claimed_by("heir/1").await;
    assert_eq!(claimed_by_heir.job, claimed_by_doomed.job);
    fleet.until_settled().await;
    fleet.no_ticket_was_issued_more_often_than(1);
    let took = claimed_by_heir.at_ms - killed;
    // RabbitMQ sees that the connection closed; a heartbeat would take 40 s.
    say(format_args!(
        "worker killed: another has its job after {took} ms"
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_in_the_root_phase_is_replaced_and_the_rollup_settles() {
    let fleet = Fleet::start(1).await;
    let _bridge = fleet.bridge("bridge");
    let _inner = fleet.worker_of("inner", "inner", 10);
    let doomed = fleet.worker_of("outer", "doomed", 600_000);
    // A claim, two inner rollups, and the root rollup, claimed by the dying worker.
    fleet.until_happened("claimed", 4).await;
    doomed.kill();
    let _heir = fleet.worker_of("outer", "heir", 10);
    fleet.until_settled().await;
    assert_eq!(fleet.falafel.progress().verified, 5);
    fleet.no_ticket_was_issued_more_often_than(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_that_is_killed_and_started_again_loses_nothing() {
    let wanted = Wanted {
        claims: 6,
        // After a restart the bridge lets one ticket lapse; it returns in 5 to 6 s.
        lease: ACK_TIMEOUT,
        ..Wanted::default()
    };
    let fleet = wanted.start().await;
    let first = fleet.bridge("bridge");
    fleet.until_issued(6).await;
    fleet.until_pinged().await;
    first.kill();
    let started = Instant::now();
    let _second = fleet.bridge("bridge");
    fleet.until_pinged().await;
    let took = started.elapsed();
    say(format_args!(
        "bridge killed: the next pings {took:?} after its start"
    ));
    let _worker = fleet.worker("one", 10);
    fleet.until_settled().await;
    fleet.say_leases("bridge killed and started again");
    assert_eq!(fleet.falafel.stats().nacks, 0);
    assert_eq!(fleet.falafel.progress().verified, 10);
    // If the process restarts within a lease, the dead bridge's poll still gets one
    // ticket. That ticket may be the one with which the new bridge tests whether
    // Falafel still knows its tickets: that ticket is issued a third time, and no
    // other ticket is.
    if took < ACK_TIMEOUT / 2 {
        fleet.tickets_were_issued(2, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_two_bridges_the_death_of_one_is_no_event() {
    let fleet = Fleet::start(6).await;
    let first = fleet.bridge("bridge-a");
    fleet.until_issued(6).await;
    let _second = fleet.bridge("bridge-b");
    let joined = fleet.until_event("joined-fleet", "bridge", "bridge-b");
    joined.await;
    first.kill();
    // Falafel would issue a ticket again that the second bridge did not take over.
    sleep(LEASE + ACK_TIMEOUT).await;
    let _worker = fleet.worker("one", 10);
    fleet.until_settled().await;
    fleet.no_ticket_was_issued_more_often_than(2);
    fleet.say_leases("one of two bridges killed");
}

#[tokio::test(flavor = "multi_thread")]
async fn rabbitmq_killed_under_the_load_costs_time_only() {
    let fleet = Fleet::start(6).await;
    let _bridge = fleet.bridge("bridge");
    let _worker = fleet.worker("one", 400);
    fleet.until_verified(2).await;
    fleet.services.act("kill", "rabbitmq1").await;
    sleep(LEASE + ACK_TIMEOUT).await;
    fleet.services.act("start", "rabbitmq1").await;
    fleet.until_settled().await;
    fleet.no_ticket_was_issued_more_often_than(1);
    fleet.say_leases("RabbitMQ killed and started again");
}
