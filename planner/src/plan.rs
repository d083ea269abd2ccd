//! Compares fleet sizes and autoscaler rules.

use serde::Serialize;

use crate::{Hpa, Outcome, Setup, Trace, hpa::Behavior, simulate, simulation::Signal};

/// The outcome of one simulated fleet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The row's name: the size of the fleet or its autoscaler rules.
    pub name: String,
    /// The maximum of inner workers.
    pub fleet: u32,
    /// How many rollups were settled, and how many the trace has.
    pub settled: (usize, usize),
    /// Median time from a rollup's arrival to its settlement, in seconds;
    /// `None` if half of the rollups did not settle.
    pub latency_p50_s: Option<f64>,
    /// 95th percentile of the same time; `None` if too few rollups settled.
    pub latency_p95_s: Option<f64>,
    /// Whether rollups arrive faster than the fleet proves them.
    pub falls_behind: bool,
    /// Median time from a job's arrival to its first claim, in seconds.
    pub wait_p50_s: f64,
    /// The 95th percentile of a job's wait, in seconds.
    pub wait_p95_s: f64,
    /// Number of proofs that were lost because their pods ended.
    pub killed: u32,
    /// Pod hours spent on proofs that had to be repeated.
    pub wasted_hours: f64,
    /// Pod hours of the whole fleet.
    pub pod_hours: f64,
    /// The fraction of the pod hours that was spent on proofs that counted.
    pub useful: f64,
    /// The cost of the fleet divided by the settled rollups; `None` if no rollup settled.
    pub cost_per_rollup: Option<f64>,
    /// The average cost of a day.
    pub cost_per_day: f64,
}

impl Row {
    fn new(name: String, setup: &Setup, trace: &Trace, outcome: &Outcome, price: f64) -> Self {
        let settled = outcome.latencies.iter().flatten().count();
        let hours = |ms: u64| ms as f64 / 3_600_000.0;
        let pod_hours = hours(outcome.pod_ms);
        let days = hours(outcome.simulated_ms) / 24.0;
        let seconds = |ms: u64| ms as f64 / 1000.0;
        let latencies = outcome.latencies.iter();
        let mut latencies: Vec<f64> = latencies
            .map(|latency| latency.map_or(f64::INFINITY, seconds))
            .collect();
        let falls_behind = falls_behind(trace, &latencies);
        latencies.sort_by(f64::total_cmp);
        let latency = |percent| percentile(&latencies, percent).filter(|s| s.is_finite());
        let mut waits = outcome.waits.clone();
        waits.sort();
        let wait = |percent| percentile(&waits, percent).map_or(0.0, seconds);
        Self {
            name,
            fleet: setup.hpa.max,
            settled: (settled, outcome.latencies.len()),
            latency_p50_s: latency(50),
            latency_p95_s: latency(95),
            falls_behind,
            wait_p50_s: wait(50),
            wait_p95_s: wait(95),
            killed: outcome.killed,
            wasted_hours: hours(outcome.wasted_ms),
            pod_hours,
            useful: outcome.useful_ms as f64 / outcome.pod_ms.max(1) as f64,
            cost_per_rollup: (settled > 0).then(|| pod_hours * price / settled as f64),
            cost_per_day: pod_hours * price / days.max(f64::EPSILON),
        }
    }
}

/// Returns the nearest-rank percentile of a sorted list; `None` if the list is empty.
pub fn percentile<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// Returns whether the last rollup waited longer than the interval between rollups.
fn falls_behind(trace: &Trace, latencies: &[f64]) -> bool {
    let [first, .., last] = &trace.rollups[..] else {
        return false;
    };
    let gap = (last.at_s - first.at_s) / (latencies.len() - 1) as f64;
    let shortest = latencies.iter().copied().fold(f64::INFINITY, f64::min);
    latencies.last().is_some_and(|last| last - shortest > gap)
}

/// Simulates the trace on one fleet. Returns the row of the table and the full outcome.
///
/// `price` is the price of one pod for one hour.
pub fn row(name: &str, setup: &Setup, trace: &Trace, price: f64) -> (Row, Outcome) {
    let outcome = simulate(setup, trace);
    let row = Row::new(name.to_owned(), setup, trace, &outcome, price);
    (row, outcome)
}

/// Simulates the trace on fleets of several sizes with the autoscaler rules of `setup`.
pub fn sizes(setup: &Setup, trace: &Trace, sizes: &[u32], price: f64) -> Vec<Row> {
    let of = |fleet: &u32| {
        let hpa = setup.hpa.with_max(*fleet);
        let setup = Setup {
            warm: setup.warm.min(*fleet),
            hpa,
            ..setup.clone()
        };
        row(&fleet.to_string(), &setup, trace, price).0
    };
    sizes.iter().map(of).collect()
}

/// Simulates the trace on one size of fleet under several rules; the first row has the given rules.
pub fn settings(setup: &Setup, trace: &Trace, price: f64) -> Vec<Row> {
    let with = |hpa: Hpa| Setup {
        hpa,
        ..setup.clone()
    };
    let window = |s| with(setup.hpa.with_down_window(s));
    let defaults = Hpa {
        behavior: Some(Behavior::default()),
        ..setup.hpa.clone()
    };
    let target_one = Hpa {
        target_milli: 1000,
        ..setup.hpa.clone()
    };
    let always = Setup {
        warm: setup.hpa.max,
        ..with(Hpa {
            min: setup.hpa.max,
            ..setup.hpa.clone()
        })
    };
    let blunt = Setup {
        signal: Signal::Ready,
        drain_ms: 0,
        ..setup.clone()
    };
    let all = [
        ("as given", setup.clone()),
        ("down window 0 s", window(0)),
        ("down window 300 s", window(300)),
        ("down window 600 s", window(600)),
        ("Kubernetes' default behavior", with(defaults)),
        ("target 1: tolerance trap", with(target_one)),
        ("no autoscaling", always),
        ("queued jobs only, no drain", blunt),
    ];
    all.into_iter()
        .map(|(name, setup)| row(name, &setup, trace, price).0)
        .collect()
}

#[cfg(test)]
mod tests;
