//! Jobs that were given up on, kept with their history.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use zkwhirl_job::{
    AttemptRecord, JobId, Kind,
    clock::now_ms,
    envelope::{BODY_BYTES, JobEnvelope, Payload},
};

/// Why the broker or a process gave a message up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeadClass {
    /// It was delivered too often without a settlement: it may crash workers.
    Crashes,
    /// Its body is damaged.
    Damaged,
    /// No process of the fleet could read it for as long as it may wait.
    Version,
    /// Its attempts failed, or the bridge or an operator parked it. A class that
    /// a later release adds is read as this one.
    #[default]
    #[serde(other)]
    Failed,
}

impl DeadClass {
    fn is_failed(&self) -> bool {
        *self == Self::Failed
    }
}

/// A job that was given up on: an operator replays or rejects it. Its tickets
/// stay open and pinged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The job.
    pub id: JobId,
    /// What gave it up. Absent from the letters of 0.1.0.
    #[serde(default, skip_serializing_if = "DeadClass::is_failed")]
    pub class: DeadClass,
    /// Its kind; `None` for a command or proof id that this release does not
    /// know, and for a body that it cannot read.
    pub kind: Option<Kind>,
    /// The rollup that it is part of, when the request says so.
    pub rollup_id: Option<u32>,
    /// Why, for people: `job 1c9f… parked: …`.
    pub reason: String,
    /// The failed attempts, oldest first.
    pub history: Vec<AttemptRecord>,
    /// When the bridge took the job, in milliseconds since the Unix epoch.
    pub taken_at_ms: u64,
    /// When it was given up on, in milliseconds since the Unix epoch.
    pub died_at_ms: u64,
    /// Where the request is. In a letter without a kind whose class is
    /// [`DeadClass::Version`]: the message's whole body.
    pub payload: Payload,
}

impl DeadLetter {
    /// The letter of a job that travelled through the broker; `why` follows
    /// `job 1c9f… parked: `.
    pub fn of(job: &JobEnvelope, why: &str, died_at_ms: u64) -> Self {
        Self {
            id: job.id,
            class: DeadClass::Failed,
            kind: Some(job.kind),
            rollup_id: job.rollup_id,
            reason: Self::parked(job.id, why),
            history: job.history.clone(),
            taken_at_ms: job.taken_at_ms,
            died_at_ms,
            payload: job.payload.clone(),
        }
    }

    /// The letter of a message that no parser read; `why` follows
    /// `job 1c9f… parked: `. Without an id it gets one from its body.
    pub(crate) fn unread(id: Option<JobId>, class: DeadClass, body: &[u8], why: &str) -> Self {
        let id = id.unwrap_or_else(|| JobId::of_code(u32::MAX, body));
        let kept = &body[..body.len().min(BODY_BYTES)];
        Self {
            id,
            class,
            kind: None,
            rollup_id: None,
            reason: Self::parked(id, why),
            history: Vec::new(),
            taken_at_ms: 0,
            died_at_ms: now_ms(),
            payload: Payload::Inline(Bytes::copy_from_slice(kept)),
        }
    }

    /// Why the broker gives a job up that was delivered so often.
    pub(crate) fn crashes(deliveries: u32, limit: u32) -> String {
        format!(
            "delivered {deliveries} times without a settlement (delivery limit {limit}); \
             it may crash workers"
        )
    }

    /// A letter's reason: `job 1c9f… parked: why`.
    pub fn parked(id: JobId, why: &str) -> String {
        format!("job {} parked: {why}", id.short())
    }

    /// The job again, as attempt 1 with its history, also from a body that an
    /// earlier release could not read. `None`: this release knows no prover for it.
    pub(crate) fn revive(self) -> Option<JobEnvelope> {
        let Some(kind) = self.kind else {
            let (DeadClass::Version, Payload::Inline(body)) = (self.class, self.payload) else {
                return None;
            };
            let job = JobEnvelope::parse(&body).ok()?;
            return Some(JobEnvelope { attempt: 1, ..job });
        };
        Some(JobEnvelope {
            id: self.id,
            kind,
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

#[cfg(test)]
mod tests {
    use zkwhirl_testkit::claim_job;

    use super::*;

    #[test]
    fn a_job_that_no_earlier_release_could_read_is_replayed_by_one_that_can() {
        let job = claim_job(1);
        let body = job.to_bytes();
        let letter = |class| DeadLetter::unread(Some(job.id), class, &body, "version");
        assert_eq!(letter(DeadClass::Damaged).revive(), None);
        assert_eq!(letter(DeadClass::Version).revive(), Some(job.clone()));
    }
}
