//! A burst of 32 jobs.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use zkwhirl_ledger::LedgerEvent;
use zkwhirl_planner::{Autoscaler, Hpa, Observed, hpa::SYNC_MS};
use zkwhirl_testkit::PATIENCE;

use super::{
    prometheus::Prometheus,
    replicas::{COMPRESSION, Replicas},
};
use crate::stage::{Wanted, say, times};

/// Workers of this number and above prove for so long that the fleet shrinks, newest
/// first, during their proofs.
const SLOW: u64 = 25;

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_32_is_met_by_32_workers_and_no_busy_one_loses_its_job() {
    let wanted = Wanted {
        inners: 32,
        ..Wanted::default()
    };
    let fleet = wanted.start().await;
    let began = Instant::now();
    let (_bridge, admin) = fleet.bridge_that_says("bridge", "metrics and probes at http://", "/");
    // The first proofs end when 32 workers run, the slow ones when the fleet has
    // begun to shrink. Both come later on a machine that starts processes slowly.
    let start_ms = began.elapsed().as_millis() as u64;
    let quick_ms = 8_000 + 10 * start_ms;
    // The autoscaler waits for 30 s before it shrinks.
    let slow_ms = quick_ms + 37_000 + 10 * start_ms;
    let prometheus = Prometheus::start(&admin, &fleet.services.rabbitmq_metrics[0]).await;
    let _outer = fleet.worker_of("outer", "outer", 0);
    let mut workers = Replicas::new(&fleet);

    let committed = include_str!("../../k8s/base/hpa-inner.yaml");
    let mut autoscaler = Autoscaler::new(Hpa::from_manifest(committed).unwrap());
    let mut replicas = 1;
    let mut course = Vec::new();
    workers.scale(replicas, |_| quick_ms);
    let mut syncs = interval(Duration::from_millis(SYNC_MS / COMPRESSION));
    syncs.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let run = async {
        // Until the fleet has grown and shrunk, and every stopped worker has exited.
        while !(course.contains(&32) && replicas == 1 && workers.is_still()) {
            syncs.tick().await;
            replicas = autoscaler.sync(Observed {
                now_ms: workers.scaled_ms(),
                spec_replicas: replicas,
                status_replicas: workers.replicas(),
                metric_milli: prometheus.outstanding().await,
            });
            let work = |number| if number < SLOW { quick_ms } else { slow_ms };
            workers.scale(replicas, work);
            workers.reap();
            course.push(replicas);
        }
    };
    let ran = timeout(PATIENCE, run).await;
    ran.unwrap_or_else(|_| panic!("not 32 workers, then one: {course:?}"));
    fleet.until_settled().await;

    assert_eq!(course.iter().max(), Some(&32));
    assert_eq!(fleet.falafel.stats().nacks, 0);
    assert_eq!(fleet.falafel.progress().verified, 34, "32, root, verifier");
    fleet.until_happened("result", 34).await;
    let events = fleet.events().await;
    let proved = times(&events, "result");
    assert_eq!(proved.len(), 34, "jobs with a result: none is lost");
    assert!(proved.values().all(|times| *times == 1), "{proved:?}");
    let claimed = times(&events, "claimed");
    assert!(claimed.values().all(|times| *times == 1), "{claimed:?}");
    let busy = ended_while_they_proved(&events, &workers.ended);
    assert!(busy > 0, "no busy worker got SIGTERM");
    say(format_args!(
        "32 jobs: {} workers at most ({} with those that drain), {} told to end, {busy} of them \
         in mid-proof; proved twice 0, lost 0, nacks 0; replicas {}",
        course.iter().max().unwrap(),
        workers.most,
        workers.ended.len(),
        shape(&course),
    ));
}

/// The number of workers that were proving when they got SIGTERM.
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
    let mut changes: Vec<_> = course.iter().map(u32::to_string).collect();
    changes.dedup();
    changes.join(" → ")
}
