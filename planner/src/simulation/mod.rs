//! Simulates pods, queues and rollups around the autoscaler, event by event.
//!
//! The model has Falafel's order (claims, then inner rollups, then the root
//! rollup, then its verifier; a rollup begins when the previous one is
//! settled); a first-in first-out queue and one job per pod; pods that start
//! slowly, drain, and are lost; the ReplicaSet's choice of victims; a metric
//! that is late or missing. The model leaves out the nodes under the pods (a
//! start time stands for them), outages of the broker, and memory.

mod clock;
mod pods;
mod signal;
mod world;

pub use pods::{Candidate, victims};
use serde::Serialize;

use crate::{Hpa, Trace, hpa::SYNC_MS};

/// The fleet and the conditions of a simulation.
#[derive(Debug, Clone, PartialEq)]
pub struct Setup {
    /// The autoscaler of the inner workers.
    pub hpa: Hpa,
    /// The metric that the autoscaler scales on.
    pub signal: Signal,
    /// Number of sources of the metric. The autoscaler has no metric when all
    /// sources are unreachable.
    pub sources: u8,
    /// Age of the metric when the autoscaler sees it, in milliseconds.
    pub lag_ms: u64,
    /// Sync period of the autoscaler in milliseconds.
    pub sync_ms: u64,
    /// Time from a pod's creation until it claims jobs, in milliseconds.
    pub start_ms: u64,
    /// How long a pod that must end may continue its proof, in milliseconds; a
    /// proof that takes longer is requeued at once.
    pub drain_ms: u64,
    /// Whether pods that prove have a higher deletion cost than idle pods.
    pub deletion_costs: bool,
    /// Number of ready pods at the start.
    pub warm: u32,
    /// Number of outer workers, which is constant.
    pub outer: u32,
    /// Rate at which a pod is lost, per hour of its life.
    pub losses_per_hour: f64,
    /// The seed of the random losses; equal seeds give equal losses.
    pub seed: u64,
}

/// The metric that the autoscaler scales on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Signal {
    /// Number of jobs that are queued or being proved.
    Outstanding,
    /// Number of queued jobs only. Not recommended: the autoscaler ends pods that still prove.
    Ready,
}

impl Setup {
    /// Returns the committed settings of a fleet, with the given HPA.
    pub fn new(hpa: Hpa) -> Self {
        Self {
            warm: hpa.min,
            hpa,
            signal: Signal::Outstanding,
            sources: 2,
            lag_ms: 30_000,
            sync_ms: SYNC_MS,
            start_ms: 90_000,
            drain_ms: 840_000,
            deletion_costs: false,
            outer: 1,
            losses_per_hour: 0.0,
            seed: 1,
        }
    }
}

/// The outcome of a simulation. Times are in milliseconds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// For each rollup in order, the time from its arrival to its settlement;
    /// `None` if it was not settled.
    pub latencies: Vec<Option<u64>>,
    /// For each inner job that was begun, the time it was queued until a pod
    /// began it for the first time.
    pub waits: Vec<u64>,
    /// Number of proofs that were lost with their pods and had to be repeated.
    pub killed: u32,
    /// Number of proofs that draining pods requeued.
    pub handed_back: u32,
    /// Pod time spent on proofs that had to be repeated.
    pub wasted_ms: u64,
    /// Total lifetime of all pods, outer workers included.
    pub pod_ms: u64,
    /// Pod time spent on proofs that counted.
    pub useful_ms: u64,
    /// The length of the simulated period.
    pub simulated_ms: u64,
    /// The most pods at any time, terminating pods included.
    pub peak_pods: u32,
    /// The fleet over time, one sample per sync.
    pub course: Vec<Sample>,
}

/// The state of the inner fleet at one sync.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// Time of the sync, in milliseconds since the start.
    pub at_ms: u64,
    /// Number of jobs that are queued or being proved.
    pub outstanding: u32,
    /// The replicas that the autoscaler decided.
    pub replicas: u32,
    /// Number of pods that can prove, including terminating pods that still prove.
    pub ready: u32,
    /// Number of pods that prove.
    pub busy: u32,
}

/// Runs a trace until all rollups are settled or a time limit is reached: a
/// fleet that kills its own proofs would run for ever.
pub fn simulate(setup: &Setup, trace: &Trace) -> Outcome {
    world::SimulatedFleet::new(setup, trace).run()
}

#[cfg(test)]
mod tests;
