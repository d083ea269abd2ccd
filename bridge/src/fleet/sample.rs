//! Metrics of the whole fleet, read from ledger and broker every few seconds. While one
//! is unreachable its last values stay: a fleet must not be scaled in because Redis is
//! unreachable.

use std::{convert::Infallible, sync::Arc};

use tokio::time::{MissedTickBehavior, interval};
use zkwhirl_job::{Topic, clock};
use zkwhirl_ledger::{
    JobRecord,
    JobState::{self, Claimed, Dead, Proved, Proving, Queued, Retrying, Taken},
    LISTING,
};
use zkwhirl_telemetry::catalogue::bridge as metric;

use crate::{journal::topic_name, retry::Stopped, state::BridgeState};

/// The states of jobs that workers have to finish.
const OUTSTANDING: [JobState; 5] = [Taken, Queued, Claimed, Proving, Retrying];
/// The states of jobs that tickets wait for.
const SHOWN: [JobState; 7] = [Taken, Queued, Claimed, Proving, Retrying, Proved, Dead];

/// Sets the metrics until the bridge stops; the first time at once.
pub(crate) async fn run(bridge: Arc<BridgeState>) -> Result<Infallible, Stopped> {
    let mut ticks = interval(bridge.config.timing.sample_every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ledger = bridge.ledger.once();
    if let Ok(jobs) = ledger.jobs(&JobState::ALL, LISTING).await {
        bridge.journal.rollups.lock().recall(&jobs);
    }
    loop {
        let sample = async {
            ticks.tick().await;
            sample(&bridge).await;
        };
        bridge.retry.unless_stopped(sample).await?;
    }
}

async fn sample(bridge: &BridgeState) {
    let slots = show_queues(bridge).await;
    show_upstreams(bridge);
    let member = f64::from(u8::from(bridge.member.lock().is_some()));
    metric::MEMBER.set([], member);
    let ledger = bridge.ledger.once();
    if let Ok(unverified) = ledger.unverified_jobs().await {
        metric::JOBS_UNVERIFIED.set([], unverified.len() as f64);
    }
    let Ok(jobs) = ledger.jobs(&SHOWN, LISTING).await else {
        return;
    };
    let now = clock::now_ms();
    show_jobs(&jobs, now);
    let mut rollups = bridge.journal.rollups.lock();
    rollups.refresh(&jobs);
    rollups.show(slots, now);
    metric::SAMPLED.set([], now as f64 / 1e3);
}

/// Sets the metrics of the queues, and returns the number of slots for inner jobs.
async fn show_queues(bridge: &BridgeState) -> usize {
    let mut slots = 0;
    for topic in Topic::ALL {
        let Ok(depth) = bridge.broker.once().depth(topic).await else {
            continue;
        };
        let name = topic.name();
        let rungs: usize = depth.rungs.iter().sum();
        for (place, jobs) in [
            ("ready", depth.ready),
            ("in_flight", depth.in_flight),
            ("retrying", rungs),
        ] {
            metric::QUEUE_JOBS.set([name, place], jobs as f64);
        }
        metric::CONSUMERS.set([name], depth.consumers as f64);
        if topic == Topic::Inner {
            slots = depth.consumers;
        }
    }
    slots
}

fn show_upstreams(bridge: &BridgeState) {
    for link in bridge.tickets.links.iter() {
        // The upstream names of the roles; a test's upstream has no label.
        let name = match link.upstream.name.as_str() {
            "inner" => "inner",
            "outer" => "outer",
            _ => continue,
        };
        let reachable = f64::from(u8::from(link.is_there()));
        metric::UPSTREAM_REACHABLE.set([name], reachable);
        metric::POLLS.of([name]).absolute(link.polls());
    }
}

fn show_jobs(jobs: &[JobRecord], now: u64) {
    for topic in Topic::ALL.map(Topic::name) {
        let own = || jobs.iter().filter(|job| topic_name(job.kind) == topic);
        for state in SHOWN {
            let count = own().filter(|job| job.state == state).count();
            metric::JOBS.set([topic, state.name()], count as f64);
        }
        let outstanding = || own().filter(|job| OUTSTANDING.contains(&job.state));
        metric::OUTSTANDING.set([topic], outstanding().count() as f64);
        let oldest = outstanding().map(|job| job.taken_at_ms).min();
        let age = oldest.map_or(0, |taken| now.saturating_sub(taken));
        metric::OLDEST.set([topic], age as f64 / 1e3);
    }
}
