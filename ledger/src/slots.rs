//! What a worker's slots say about themselves, for views.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use zkwhirl_job::{JobId, Kind, Topic};

/// How long a report counts. Slots report every two seconds and more often.
pub const SLOT_TTL: Duration = Duration::from_secs(10);
/// Slots that one listing returns at most.
pub const SLOTS: usize = 1_024;

/// What a slot does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doing {
    /// Starts its prover, or has it prove itself.
    #[default]
    Starting,
    /// Waits for a job.
    Idle,
    /// Has a job.
    Proving,
    /// Is out of the queue: the broker is away or memory is missing.
    Waiting,
    /// Something that only its own release has a name for.
    #[serde(other)]
    Unknown,
}

impl Doing {
    /// Its name in views.
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Idle => "idle",
            Self::Proving => "proving",
            Self::Waiting => "waiting",
            Self::Unknown => "unknown",
        }
    }
}

/// What a slot says. A worker of another release may say less.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SlotReport {
    /// Its name, unique in the fleet.
    pub slot: String,
    /// What it takes, what goes first first.
    pub topics: Vec<Topic>,
    /// What it proves with.
    pub prover: String,
    /// The release that it runs.
    pub version: String,
    /// What it does.
    pub doing: Doing,
    /// True after it was told to claim no more.
    pub quiet: bool,
    /// True while it ends.
    pub draining: bool,
    /// Since when it does what it does, in milliseconds since the Unix epoch.
    pub since_ms: u64,
    /// When it said so, in milliseconds since the Unix epoch.
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
    /// What that process may have of private memory; 0: as much as there is.
    pub memory_limit_bytes: u64,
    /// The circuits whose proving keys that process has loaded, as far as it
    /// tells.
    pub keys: Vec<String>,
}

/// A job's id as people read it.
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
