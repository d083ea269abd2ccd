//! The reports of workers' slots, for views.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use zkwhirl_job::{JobId, Kind, Topic, named};

/// How long a report is kept. A slot reports every two seconds, and at changes.
pub(crate) const SLOT_TTL: Duration = Duration::from_secs(10);
/// How many slots one listing returns, at most.
pub const SLOTS: usize = 1_024;

named! {
    /// The activity of a slot.
    #[derive(Default)]
    pub enum SlotActivity {
        /// The slot's prover starts, or runs its self-test.
        #[default]
        Starting = "starting",
        /// The slot waits for a job.
        Idle = "idle",
        /// The slot has a job.
        Proving = "proving",
        /// The slot claims no job: the broker is unreachable or memory is missing.
        Waiting = "waiting",
        /// An activity that only another release has.
        #[serde(other)]
        Unknown = "unknown",
    }
}

/// One slot's report. A worker of another release may leave fields out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SlotReport {
    /// The slot's name, unique in the fleet.
    pub slot: String,
    /// The topics that the slot consumes, in the order of their priority.
    pub topics: Vec<Topic>,
    /// The name of the slot's prover.
    pub prover: String,
    /// The release of the slot's worker.
    pub version: String,
    /// The slot's activity.
    pub doing: SlotActivity,
    /// Whether an operator has paused the slot: a paused slot claims no job.
    pub quiet: bool,
    /// Whether the slot drains.
    pub draining: bool,
    /// When the slot's activity began, in milliseconds since the Unix epoch.
    pub since_ms: u64,
    /// When the slot reported, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The id of the slot's job.
    #[serde(with = "digits")]
    pub job: Option<JobId>,
    /// The kind of the slot's job.
    pub kind: Option<Kind>,
    /// The number of the job's attempt.
    pub attempt: u32,
    /// The prover's phase: `key`, `witness`, `prove`, `verify`; or empty.
    pub phase: String,
    /// How much of the phase is done, 0 to 1.
    pub fraction: f32,
    /// How many jobs the slot has proved since it started.
    pub done: u64,
    /// How many attempts failed since the slot's last proof.
    pub failures: u32,
    /// Resident memory of the prover's process in bytes; 0 without a process.
    pub resident_bytes: u64,
    /// The limit of the process's private memory in bytes; 0: no limit.
    pub memory_limit_bytes: u64,
    /// The circuits whose proving keys the prover's process has loaded.
    pub keys: Vec<String>,
}

/// Serialises a job's id as hexadecimal digits.
mod digits {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
    use zkwhirl_job::JobId;

    pub(super) fn serialize<S: Serializer>(job: &Option<JobId>, to: S) -> Result<S::Ok, S::Error> {
        job.map(|job| job.to_string()).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<JobId>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        let id = text.map(|text| text.parse().map_err(D::Error::custom));
        id.transpose()
    }
}
