//! Slots, queues, keys, and what operators did.

use serde::{Deserialize, Serialize};
use zkwhirl_ledger::SlotReport;

/// A slot of a worker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SlotView {
    /// Its last report.
    #[serde(flatten)]
    pub report: SlotReport,
    /// `starting`, `idle`, `proving`, `waiting`, `quiet` or `draining`.
    pub state: String,
}

impl SlotView {
    /// A report, and its state in one word.
    pub fn of(report: SlotReport) -> Self {
        let state = match &report {
            report if report.draining => "draining",
            report if report.quiet && report.job.is_none() => "quiet",
            report => report.doing.name(),
        };
        Self {
            state: state.to_owned(),
            report,
        }
    }
}

/// A topic's queue.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct QueueView {
    /// The topic.
    pub topic: String,
    /// Jobs that wait for a worker.
    pub ready: usize,
    /// Jobs in workers' hands.
    pub in_flight: usize,
    /// Jobs on the retry rungs, shortest first.
    pub rungs: Vec<usize>,
    /// Live consumers.
    pub consumers: usize,
    /// Age of the oldest job that has no proof yet.
    pub oldest_ms: Option<u64>,
    /// Jobs taken in the last minute.
    pub taken_per_min: usize,
    /// Jobs proved in the last minute.
    pub proved_per_min: usize,
    /// Why the figures of the broker are missing.
    pub error: Option<String>,
}

/// A proving key on this machine.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct KeyView {
    /// The circuit.
    pub circuit: String,
    /// The key's id; empty when it cannot be used.
    pub id: String,
    /// Rows of the circuit.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Digest of the verification key.
    pub vk: String,
    /// Where its secret numbers came from.
    pub provenance: String,
    /// True when anyone can forge proofs under it.
    pub insecure: bool,
    /// Why it cannot be used.
    pub error: Option<String>,
}

/// One action of an operator.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AuditEntry {
    pub(crate) at_ms: u64,
    /// The operator's name, as the operator gave it.
    pub(crate) who: String,
    /// What: `replay`, `reject`, ...
    pub(crate) what: String,
    /// A job's id or a worker's name.
    pub(crate) on: String,
    /// The reason, or how it ended.
    pub(crate) text: String,
    pub(crate) done: bool,
}
