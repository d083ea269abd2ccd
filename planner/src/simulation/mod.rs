//! Pods, queues and rollups around the autoscaler, event by event.
//!
//! What is modelled: Falafel's order (claims, then inner rollups, then the root
//! rollup, then its verifier; a rollup begins when the one before is settled);
//! a first-come queue, one job a pod; pods that start slowly, drain, and are
//! lost; the ReplicaSet's choice of victims; a metric that is late or missing.
//! What is not: machines under the pods (a start time stands for them), the
//! broker's own outages, memory.

mod clock;
mod pods;
mod signal;
mod world;

pub use pods::{Candidate, victims};
use serde::Serialize;

use crate::{Hpa, Trace, hpa::SYNC_MS};

/// A fleet and its surroundings.
#[derive(Debug, Clone, PartialEq)]
pub struct Setup {
    /// The autoscaler of the inner workers.
    pub hpa: Hpa,
    /// The signal of the autoscaler.
    pub signal: Signal,
    /// Number of sources of the metric. The autoscaler is blind when all are
    /// away.
    pub sources: u8,
    /// Age of the metric when the autoscaler sees it, in milliseconds.
    pub lag_ms: u64,
    /// Sync period of the autoscaler in milliseconds.
    pub sync_ms: u64,
    /// From a pod's creation until it claims jobs, in milliseconds.
    pub start_ms: u64,
    /// How long a running proof may still take when its pod must end, in
    /// milliseconds; one that takes longer is handed back at once.
    pub drain_ms: u64,
    /// Pods that prove have a higher deletion cost than idle pods.
    pub deletion_costs: bool,
    /// Pods that are there at the start, ready.
    pub warm: u32,
    /// Workers of outer jobs, always there.
    pub outer: u32,
    /// Chance that a pod is lost within an hour of its life (as a rate).
    pub losses_per_hour: f64,
    /// Equal seeds make equal losses.
    pub seed: u64,
}

/// The signal of the autoscaler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Signal {
    /// Jobs that are queued or being proved.
    Outstanding,
    /// Jobs that are queued, no more: what nobody should look at.
    Ready,
}

impl Setup {
    /// The committed way of running a fleet, under an HPA.
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

/// What came of it. Times in milliseconds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// For each rollup in order, from its arrival until it was settled; `None`:
    /// it was not.
    pub latencies: Vec<Option<u64>>,
    /// For each inner job that was begun, from its being there until a pod
    /// began it for the first time.
    pub waits: Vec<u64>,
    /// Proofs that ended with their pods, to be made again.
    pub killed: u32,
    /// Proofs that were handed back by draining pods.
    pub handed_back: u32,
    /// Time spent on proofs that had to be made again.
    pub wasted_ms: u64,
    /// Life times of all pods together, outer workers included.
    pub pod_ms: u64,
    /// Time spent on proofs that counted.
    pub useful_ms: u64,
    /// What was simulated.
    pub simulated_ms: u64,
    /// Most pods at a time, ending ones included.
    pub peak_pods: u32,
    /// The fleet over time: a sample at each sync.
    pub course: Vec<Sample>,
}

/// The inner fleet at one sync.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// When.
    pub at_ms: u64,
    /// Jobs queued or being proved.
    pub outstanding: u32,
    /// What the autoscaler decided.
    pub replicas: u32,
    /// Pods that can prove, ending ones that still prove included.
    pub ready: u32,
    /// Pods that prove.
    pub busy: u32,
}

/// Runs a trace until it is settled, but not much longer than the work can
/// take: a fleet that kills what it proves would run for ever.
pub fn simulate(setup: &Setup, trace: &Trace) -> Outcome {
    world::SimulatedFleet::new(setup, trace).run()
}

#[cfg(test)]
mod tests;
