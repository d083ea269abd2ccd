//! A burst of 32.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use zkwhirl::cluster::{Checker, Rollups};
use zkwhirl_circuits::Suite;
use zkwhirl_falafel::{Falafel, FalafelConfig, PipelineState, RollupPlan};
use zkwhirl_job::{JobId, Sizes};
use zkwhirl_ledger::redis::{LedgerEvent, RedisLedger, RedisLedgerConfig};
use zkwhirl_planner::{Autoscaler, Hpa, Observed, hpa::SYNC_MS};
use zkwhirl_redis::RedisAddress;

use super::{
    prometheus::{Prometheus, free_port},
    replicas::{COMPRESSION, Replicas},
};
use crate::{figures::say, services::Services};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);
/// Workers of these numbers and above take so long that the fleet shrinks, the
/// newest first, while they prove.
const SLOW: u64 = 25;
const SLOW_MS: u64 = 45_000;
const QUICK_MS: u64 = 8_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_32_is_met_by_32_workers_and_no_busy_one_loses_its_job() {
    let services = tokio::task::spawn_blocking(Services::up).await.unwrap();
    let mut fleet = Replicas::new(&services);
    let provisioned = fleet.command("provision").status().await.unwrap();
    assert!(provisioned.success());
    let admin = format!("127.0.0.1:{}", free_port());
    let prometheus = Prometheus::start(&admin, &services.rabbitmq_metrics).await;
    let falafel = falafel().await;
    let url = |address| format!("http://{address}");
    let _bridge = fleet
        .command("bridge")
        .arg(format!("--admin={admin}"))
        .env("JOB_SERVER_URL", url(falafel.inner_address()))
        .env(
            "ZKWHIRL_OUTER_JOB_SERVER_URL",
            url(falafel.outer_address().unwrap()),
        )
        .spawn()
        .unwrap();
    let _outer = fleet
        .command("worker")
        .args(["--topic=outer", "--name=outer"])
        .spawn()
        .unwrap();

    let committed = include_str!("../../k8s/base/hpa-inner.yaml");
    let mut autoscaler = Autoscaler::new(Hpa::from_manifest(committed).unwrap());
    let mut replicas = 1;
    let mut course = Vec::new();
    fleet.scale(replicas, |_| QUICK_MS);
    let mut syncs = interval(Duration::from_millis(SYNC_MS / COMPRESSION));
    syncs.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let run = async {
        // Until it has grown, shrunk, and every worker that was ended is gone.
        while !(course.contains(&32) && replicas == 1 && fleet.is_still()) {
            syncs.tick().await;
            replicas = autoscaler.sync(Observed {
                now_ms: fleet.scaled_ms(),
                spec_replicas: replicas,
                status_replicas: fleet.replicas(),
                metric_milli: prometheus.outstanding().await,
            });
            let work = |number| if number < SLOW { QUICK_MS } else { SLOW_MS };
            fleet.scale(replicas, work);
            fleet.reap();
            course.push(replicas);
        }
    };
    timeout(PATIENCE, run).await.unwrap();
    let state = timeout(PATIENCE, falafel.finished()).await.unwrap();
    assert_eq!(state, PipelineState::Done);

    assert_eq!(course.iter().max(), Some(&32));
    let stats = falafel.stats();
    assert_eq!(
        (stats.nacks, falafel.progress().verified),
        (0, 34),
        "32, root and verifier"
    );
    let events = events(&services.redis).await;
    let proved = times(&events, "result");
    assert_eq!(proved.len(), 34, "jobs with a result: none is lost");
    let again: Vec<_> = proved.values().filter(|times| **times != 1).collect();
    assert!(again.is_empty(), "proved more than once: {again:?}");
    let claimed = times(&events, "claimed");
    assert!(
        claimed.values().all(|times| *times == 1),
        "claimed more than once"
    );
    let busy = ended_while_they_proved(&events, &fleet.ended);
    assert!(
        busy > 0,
        "no busy worker was told to end: the rehearsal shows nothing"
    );
    say(format_args!(
        "32 jobs: {} workers at most ({} with those that drain), {} told to end, {busy} of them \
         in mid-proof; proved twice 0, lost 0, nacks 0; replicas {}",
        course.iter().max().unwrap(),
        fleet.most,
        fleet.ended.len(),
        shape(&course),
    ));
}

/// One rollup of 32 inner rollups, wanted at once.
async fn falafel() -> Falafel {
    let rollups = Rollups {
        suite: Suite::Poseidon,
        sizes: Sizes::new(1, 32).unwrap(),
    };
    let plan = RollupPlan {
        suite: rollups.suite,
        seed: 5,
        sizes: rollups.sizes,
        genesis_claims: 0,
        max_claims: 0,
        txs: 32,
        rollups: Some(1),
        vks: false,
    };
    let check = Arc::new(Checker::proverless(rollups));
    Falafel::start(FalafelConfig::new(Some(plan), check))
        .await
        .unwrap()
}

/// What happened in the ledger, in order, once the last result is in it.
async fn events(url: &str) -> Vec<LedgerEvent> {
    let address = RedisAddress::new(url.parse().unwrap(), "main");
    let ledger = RedisLedger::new(RedisLedgerConfig::new(address)).unwrap();
    let read = async {
        loop {
            let events = ledger.events_after(None, 10_000).await.unwrap();
            if times(&events, "result").len() == 34 {
                return events;
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(Duration::from_secs(30), read).await.unwrap()
}

fn times(events: &[LedgerEvent], what: &str) -> HashMap<JobId, u32> {
    let mut times = HashMap::new();
    for event in events.iter().filter(|event| event.what == what) {
        *times.entry(event.job.unwrap()).or_default() += 1;
    }
    times
}

/// How many of the workers that were told to end were proving at that time.
fn ended_while_they_proved(events: &[LedgerEvent], ended: &[(String, u64)]) -> usize {
    let of = |what: &'static str| events.iter().filter(move |event| event.what == what);
    let was_proving = |(name, told): &&(String, u64)| {
        of("claimed").any(|claim| {
            let slot = claim.detail["worker"].strip_prefix(name.as_str());
            slot.is_some_and(|slot| slot.starts_with('/'))
                && claim.at_ms < *told
                && of("result").any(|result| result.job == claim.job && result.at_ms > *told)
        })
    };
    ended.iter().filter(was_proving).count()
}

fn shape(course: &[u32]) -> String {
    let mut changes: Vec<u32> = course.to_vec();
    changes.dedup();
    let texts: Vec<_> = changes.iter().map(u32::to_string).collect();
    texts.join(" → ")
}
