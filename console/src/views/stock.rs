//! Views of slots, queues, keys, and operators' actions.

use serde::{Deserialize, Serialize};
use zkwhirl_ledger::SlotReport;

/// A slot of a worker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SlotView {
    /// The slot's last report.
    #[serde(flatten)]
    pub report: SlotReport,
    /// `starting`, `idle`, `proving`, `waiting`, `quiet` or `draining`.
    pub state: String,
}

impl SlotView {
    /// Makes a view from a report, with the slot's state in one word.
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
    /// The number of queued jobs.
    pub ready: usize,
    /// The number of jobs that workers have claimed.
    pub in_flight: usize,
    /// The number of jobs in each retry queue, shortest delay first.
    pub rungs: Vec<usize>,
    /// The number of consumers.
    pub consumers: usize,
    /// Age of the oldest job without a proof.
    pub oldest_ms: Option<u64>,
    /// The number of jobs taken in the last minute.
    pub taken_per_min: usize,
    /// The number of jobs proved in the last minute.
    pub proved_per_min: usize,
    /// Why the broker's numbers are missing.
    pub error: Option<String>,
}

/// A proving key on this machine.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct KeyView {
    /// The circuit's name, or the file's name if the key cannot be used.
    pub circuit: String,
    /// The key's id; empty if the key cannot be used.
    pub id: String,
    /// The circuit's number of rows (constraints).
    pub rows: u64,
    /// Size of the key's file in bytes.
    pub bytes: u64,
    /// BLAKE3 digest of the verification key.
    pub vk: String,
    /// The key's provenance: where its secret numbers came from.
    pub provenance: String,
    /// True if anyone can forge proofs under the key.
    pub insecure: bool,
    /// Why the key cannot be used.
    pub error: Option<String>,
}

/// One action of an operator.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AuditEntry {
    pub(crate) at_ms: u64,
    /// The operator's name, as the operator gave it.
    pub(crate) who: String,
    /// The action: `replay`, `reject`, ...
    pub(crate) what: String,
    /// A job's id or a worker's name.
    pub(crate) on: String,
    /// The reason before the action, its result after.
    pub(crate) text: String,
    pub(crate) done: bool,
}
