//! What a test measured, for whoever reads its output. Nothing here fails on a
//! clock.

use std::{
    collections::HashMap,
    fmt::Display,
    io::Write,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use zkwhirl_job::JobId;
use zkwhirl_ledger::redis::LedgerEvent;

/// Shows a figure, also where the output of tests that pass is hidden.
pub(crate) fn say(figure: impl Display) {
    // Nobody reads: nobody misses it.
    let _ = writeln!(std::io::stderr(), "figure: {figure}");
}

/// Milliseconds since the Unix epoch by this machine's clock, which is also
/// Redis's.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_millis() as u64
}

/// The jobs to which something happened, in order.
pub(crate) fn order(events: &[LedgerEvent], what: &str) -> Vec<JobId> {
    let those = events.iter().filter(|event| event.what == what);
    those.filter_map(|event| event.job).collect()
}

/// How often each job was claimed.
pub(crate) fn claims(events: &[LedgerEvent]) -> HashMap<JobId, u32> {
    let mut claimed = HashMap::new();
    for job in order(events, "claimed") {
        *claimed.entry(job).or_default() += 1;
    }
    claimed
}

/// For each claim but a worker's first: how long the worker had nothing to do
/// while the job that it then claimed was already in the queue. Sorted.
pub(crate) fn idle_while_jobs_wait(events: &[LedgerEvent]) -> Vec<Duration> {
    let mut queued = HashMap::new();
    let mut worker_of = HashMap::new();
    let mut free_since: HashMap<&str, u64> = HashMap::new();
    let mut idle = Vec::new();
    for event in events {
        let (Some(job), at) = (event.job, event.at_ms) else {
            continue;
        };
        match event.what.as_str() {
            "queued" => {
                queued.entry(job).or_insert(at);
            }
            "claimed" => {
                let worker = event.detail["worker"].as_str();
                worker_of.insert(job, worker);
                if let Some(free) = free_since.remove(worker) {
                    // Claimed before the bridge could say that it is queued.
                    let queued = queued.get(&job).copied().unwrap_or(at);
                    idle.push(Duration::from_millis(at - free.max(queued).min(at)));
                }
            }
            "result" => {
                if let Some(worker) = worker_of.get(&job) {
                    free_since.insert(worker, at);
                }
            }
            _ => {}
        }
    }
    idle.sort();
    idle
}

/// The value below which so many of a hundred are.
pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let place = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(place).copied().unwrap_or_default()
}
