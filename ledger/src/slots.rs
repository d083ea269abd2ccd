//! Reports of workers' slots, for views.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use zkwhirl_job::{JobId, Kind, Topic, named};

/// How long a report counts. A slot reports every two seconds, and at changes.
pub(crate) const SLOT_TTL: Duration = Duration::from_secs(10);
/// Slots that one listing returns at most.
pub const SLOTS: usize = 1_024;

named! {
    /// What a slot does now.
    #[derive(Default)]
    pub enum SlotActivity {
        /// Its prover starts, or runs its self-test.
        #[default]
        Starting = "starting",
        /// It waits for a job.
        Idle = "idle",
        /// It has a job.
        Proving = "proving",
        /// It claims no job: the broker is away or memory is missing.
        Waiting = "waiting",
        /// Something that only its own release has a name for.
        #[serde(other)]
        Unknown = "unknown",
    }
}

/// One slot's report. A worker of another release may leave fields out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SlotReport {
    /// Its name, unique in the fleet.
    pub slot: String,
    /// The topics that it takes, in the order of their priority.
    pub topics: Vec<Topic>,
    /// What it proves with.
    pub prover: String,
    /// The release that it runs.
    pub version: String,
    /// What it does.
    pub doing: SlotActivity,
    /// True while an operator keeps it quiet: it claims no more.
    pub quiet: bool,
    /// True while it drains.
    pub draining: bool,
    /// Since when it does what it does, in milliseconds since the Unix epoch.
    pub since_ms: u64,
    /// When it reported, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The job that it has.
    #[serde(with = "digits")]
    pub job: Option<JobId>,
    /// That job's kind.
    pub kind: Option<Kind>,
    /// That job's attempt.
    pub attempt: u32,
    /// What the prover does: `key`, `witness`, `prove`, `verify`; or empty.
    pub phase: String,
    /// How much of that is done, 0 to 1.
    pub fraction: f32,
    /// Jobs that it proved since it started.
    pub done: u64,
    /// Attempts that failed since it last proved something.
    pub failures: u32,
    /// Resident memory of its prover's process; 0 without one.
    pub resident_bytes: u64,
    /// The limit of that process's private memory; 0: no limit.
    pub memory_limit_bytes: u64,
    /// The circuits whose proving keys that process reported as loaded.
    pub keys: Vec<String>,
}

/// A job's id as hexadecimal digits.
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
