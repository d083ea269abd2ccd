//! The loss of Redis' primary: Sentinel elects another, and HAProxy forwards to
//! it. Their configuration is that of `k8s/components/redis-sentinel`.

use tokio::time::Instant;

use zkwhirl_testkit::eventually;

use crate::stage::{Wanted, say};

#[tokio::test(flavor = "multi_thread")]
async fn redis_primaries_killed_one_after_the_other_in_mid_job_lose_no_job() {
    let wanted = Wanted {
        claims: 200,
        services: &["--rabbitmq", "--sentinel"],
        ..Wanted::default()
    };
    let fleet = wanted.start().await;
    let _bridges = ["bridge-a", "bridge-b"].map(|name| fleet.bridge(name));
    let _workers = ["one", "two"].map(|name| fleet.worker(name, 300));
    for verified in [10, 60] {
        fleet.until_verified(verified).await;
        let lost = fleet.services.primary().await;
        let before = fleet.falafel.progress().verified;
        let killed = Instant::now();
        // Kill both containers of the pod, as the loss of a node does.
        fleet.services.act("kill", &lost).await;
        let sentinel = lost.replace("redis", "sentinel");
        fleet.services.act("kill", &sentinel).await;
        eventually("another one is the primary", async || {
            fleet.services.primary().await != lost
        })
        .await;
        // Proofs in progress when the primary died may still be accepted.
        fleet.until_verified(before + 5).await;
        say(format_args!(
            "Redis' primary killed: five more proofs accepted after {:.1} s",
            killed.elapsed().as_secs_f64()
        ));
        assert!(fleet.falafel.progress().verified < 200, "it was over");
        // The pod comes back, follows the new primary and can succeed it.
        fleet.services.act("start", &lost).await;
        fleet.services.act("start", &sentinel).await;
    }
    fleet.until_settled().await;
    assert_eq!(fleet.falafel.progress().verified, 204);
    // The last writes may not have been replicated: Falafel issues such a ticket
    // again after its lease.
    fleet.no_ticket_was_issued_more_often_than(3);
    fleet.say_leases("two primaries of Redis killed");
}
