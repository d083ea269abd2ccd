//! Everything at once, as when a pipeline starts with all its claims.

use std::{fs, time::Duration};

use zkwhirl_circuits::Suite;
use zkwhirl_falafel::{PipelineState, RollupPlan};
use zkwhirl_job::{JobId, Sizes, Topic};
use zkwhirl_ledger::What;

use crate::support::{Scene, proverless};

const CLAIMS: usize = 899;
/// What the process may grow by while all of it goes through: the requests and
/// replies that the ledger keeps are 7 MB of it.
const GROWTH_BYTES: u64 = 96 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn nine_hundred_jobs_at_once_arrive_in_order_and_memory_stays_flat() {
    let suite = Suite::Poseidon;
    let plan = RollupPlan {
        suite,
        seed: 3,
        sizes: Sizes::new(1, 1).unwrap(),
        genesis_claims: CLAIMS,
        max_claims: CLAIMS,
        txs: 1,
        rollups: Some(1),
        vks: false,
    };
    let mut stage = Scene {
        provers: proverless(suite, 1, 1),
        slots: 1,
        delay: Duration::from_secs(10),
        plan: Some(plan),
    }
    .start()
    .await;
    let before = resident_bytes();
    assert_eq!(stage.falafel.finished().await, PipelineState::Done);
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < GROWTH_BYTES, "grew by {grown} bytes");

    let (mut taken, mut claimed): (Vec<JobId>, Vec<JobId>) = (Vec::new(), Vec::new());
    while let Ok(event) = stage.events.try_recv() {
        if event.kind.map(|kind| kind.topic()) != Some(Topic::Inner) {
            continue;
        }
        match event.what {
            What::Taken { .. } => taken.push(event.job),
            What::Claimed { .. } => claimed.push(event.job),
            _ => {}
        }
    }
    assert_eq!(taken.len(), CLAIMS + 1, "claims and one inner rollup");
    assert!(taken == claimed, "claimed in the order of their arrival");
    let all = taken.len() as u64 + 2; // the root rollup and its verifier
    assert_eq!(stage.cluster.bridge().stats().delivered, all);
    assert_eq!(stage.falafel.progress().verified, all);
    stage.falafel_noticed_nothing();
    stage.end().await;
}

fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}
