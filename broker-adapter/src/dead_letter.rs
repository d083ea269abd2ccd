//! Jobs that were given up on, kept with their history.

use serde::{Deserialize, Serialize};
use zkwhirl_job::{
    AttemptRecord, JobId, Kind,
    envelope::{JobEnvelope, Payload},
};

/// A job that was given up on: an operator replays or rejects it. Its tickets
/// stay open and pinged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The job.
    pub id: JobId,
    /// Its kind; `None` for a command or proof id that nobody knows.
    pub kind: Option<Kind>,
    /// The rollup that it is part of, when the request says so.
    pub rollup_id: Option<u32>,
    /// One sentence, for people: `job 1c9f… parked: …`.
    pub reason: String,
    /// The failed attempts, oldest first.
    pub history: Vec<AttemptRecord>,
    /// When the bridge took the job, in milliseconds since the Unix epoch.
    pub taken_at_ms: u64,
    /// When it was given up on, in milliseconds since the Unix epoch.
    pub died_at_ms: u64,
    /// Where the request is.
    pub payload: Payload,
}

impl DeadLetter {
    /// The letter of a job that travelled through the broker; `why` follows
    /// `job 1c9f… parked: `.
    pub fn of(job: &JobEnvelope, why: &str, died_at_ms: u64) -> Self {
        Self {
            id: job.id,
            kind: Some(job.kind),
            rollup_id: job.rollup_id,
            reason: Self::sentence(job.id, why),
            history: job.history.clone(),
            taken_at_ms: job.taken_at_ms,
            died_at_ms,
            payload: job.payload.clone(),
        }
    }

    /// The sentence that a letter's reason is.
    pub fn sentence(id: JobId, why: &str) -> String {
        format!("job {} parked: {why}", id.short())
    }

    /// The job again, as attempt 1 with its history. `None` when no prover
    /// could know its kind.
    pub fn revive(self) -> Option<JobEnvelope> {
        Some(JobEnvelope {
            id: self.id,
            kind: self.kind?,
            rollup_id: self.rollup_id,
            sizes: None,
            attempt: 1,
            taken_at_ms: self.taken_at_ms,
            payload: self.payload,
            history: self.history,
            trace: None,
        })
    }
}
