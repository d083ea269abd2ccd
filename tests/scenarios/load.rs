//! 900 jobs at once, as when a pipeline starts with all its claims.

use std::{env, fs, process::Command, time::Duration};

use zkwhirl_circuits::Suite;
use zkwhirl_falafel::RollupPlan;
use zkwhirl_job::{Sizes, Topic};
use zkwhirl_ledger::JobEventKind;
use zkwhirl_testkit::eventually;

use crate::stage::{Scene, plan, prints, proverless, say};

const CLAIMS: usize = 899;
/// Limit of the process's growth in bytes while all jobs are proved. Requests and
/// replies in the ledger account for 7 MB.
const GROWTH_BYTES: u64 = 96 << 20;
/// Environment variable that is set in the separate process of this test.
const ALONE: &str = "ZKWHIRL_TEST_ALONE";
/// The test's name as the test executable knows it.
const NAME: &str = concat!(
    module_path!(),
    "::nine_hundred_jobs_at_once_arrive_in_order_and_memory_stays_flat"
);

#[tokio::test(flavor = "multi_thread")]
async fn nine_hundred_jobs_at_once_arrive_in_order_and_memory_stays_flat() {
    if env::var_os(ALONE).is_none() {
        // Other tests also use memory, so the growth is measured in a new process.
        let (_, name) = NAME.split_once("::").unwrap();
        let mut alone = Command::new(env::current_exe().unwrap());
        alone.args(["--exact", name, "--nocapture"]).env(ALONE, "");
        prints(&mut alone, 0, &["1 passed"]);
        return;
    }
    let plan = RollupPlan {
        vks: false,
        ..plan(Suite::Poseidon, Sizes::new(1, 1).unwrap(), CLAIMS, 1)
    };
    let stage = Scene {
        plan: Some(plan),
        ..Scene::of(proverless(Suite::Poseidon, 1, 1, Duration::ZERO))
    }
    .start()
    .await;
    let before = resident_bytes();
    stage.until_settled().await;
    let grown = resident_bytes().saturating_sub(before);
    say(format_args!("900 jobs at once: grew by {grown} bytes"));
    assert!(grown < GROWTH_BYTES, "grew by {grown} bytes");

    let inner = |wanted: fn(&JobEventKind) -> bool| {
        stage.happened(|event| {
            let inner = event.kind.map(|kind| kind.topic()) == Some(Topic::Inner);
            (inner && wanted(&event.what)).then_some(event.job)
        })
    };
    let taken = inner(|what| matches!(what, JobEventKind::Taken { .. }));
    let claimed = inner(|what| matches!(what, JobEventKind::Claimed { .. }));
    assert_eq!(taken.len(), CLAIMS + 1, "claims and one inner rollup");
    assert!(taken == claimed, "claimed in the order of their arrival");
    let all = taken.len() as u64 + 2; // the root rollup and its verifier
    assert_eq!(stage.falafel.progress().verified, all);
    eventually("the bridge has noted every delivery", async || {
        stage.cluster.bridge.stats().delivered == all
    })
    .await;
    stage.falafel_noticed_nothing();
    stage.end().await;
}

fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}
