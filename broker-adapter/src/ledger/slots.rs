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
}

impl Doing {
    /// Its name in views.
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Idle => "idle",
            Self::Proving => "proving",
            Self::Waiting => "waiting",
        }
    }
}

/// What a slot says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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
}
