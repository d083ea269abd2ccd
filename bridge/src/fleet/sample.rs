//! Figures about the whole fleet, read from ledger and broker every few
//! seconds. Where one is away its last figures stand: a fleet is not scaled in
//! because Redis is away.

use std::sync::Arc;

use tokio::time::{MissedTickBehavior, interval};
use zkwhirl_job::Topic;
use zkwhirl_telemetry::catalogue::bridge as metric;

use super::{counting::topic_name, shared::Shared};
use zkwhirl_job::clock;
use zkwhirl_ledger::{JobRecord, JobState, LISTING};

/// Jobs that workers have to finish.
const OUTSTANDING: [JobState; 5] = [
    JobState::Taken,
    JobState::Queued,
    JobState::Claimed,
    JobState::Proving,
    JobState::Retrying,
];
/// Those and the ones that somebody waits for.
const SHOWN: [JobState; 7] = [
    JobState::Taken,
    JobState::Queued,
    JobState::Claimed,
    JobState::Proving,
    JobState::Retrying,
    JobState::Proved,
    JobState::Dead,
];

/// Reads until the bridge stops; the first time at once.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut ticks = interval(shared.config.timing.sample_every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    shared.recall_rollups().await;
    loop {
        tokio::select! {
            () = shared.stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        tokio::select! {
            () = shared.stop.cancelled() => return,
            () = shared.sample() => {}
        }
    }
}

impl Shared {
    /// The rollups that an earlier bridge saw begin.
    async fn recall_rollups(&self) {
        if let Ok(jobs) = self.deps.ledger.jobs(&JobState::ALL, LISTING).await {
            self.rollups.lock().recall(&jobs);
        }
    }

    async fn sample(&self) {
        let mut slots = 0;
        for topic in Topic::ALL {
            let Ok(depth) = self.deps.broker.depth(topic).await else {
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
        for link in self.links.iter() {
            // The names that the roles give; a test's are nobody's business.
            let name = match link.upstream.name.as_str() {
                "inner" => "inner",
                "outer" => "outer",
                _ => continue,
            };
            let reachable = f64::from(u8::from(link.is_there()));
            metric::UPSTREAM_REACHABLE.set([name], reachable);
            metric::POLLS.of([name]).absolute(link.polls());
        }
        let member = self.member.lock().is_some();
        metric::MEMBER.set([], f64::from(u8::from(member)));
        let Ok(jobs) = self.deps.ledger.jobs(&SHOWN, LISTING).await else {
            return;
        };
        let now = clock::now_ms();
        show_jobs(&jobs, now);
        let mut rollups = self.rollups.lock();
        rollups.refresh(&jobs);
        rollups.show(slots, now);
        metric::SAMPLED.set([], now as f64 / 1e3);
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
