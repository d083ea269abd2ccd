//! Dead letters: jobs that were given up on, with their history.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use zkwhirl_job::{
    AttemptRecord, JobId, Kind,
    clock::now_ms,
    envelope::{BODY_BYTES, JobEnvelope, Payload},
};

/// Why a message became a dead letter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeadClass {
    /// The job was delivered too often without a settlement: it may crash workers.
    Crashes,
    /// The message's body is damaged.
    Damaged,
    /// No process of the fleet could read the message within the limit for waiting.
    Version,
    /// The job's attempts failed, or the bridge gave up on it. A class that a later
    /// release adds is read as this one.
    #[default]
    #[serde(other)]
    Failed,
}

impl DeadClass {
    fn is_failed(&self) -> bool {
        *self == Self::Failed
    }
}

/// A job that was given up on: an operator replays or rejects the job. Its tickets
/// stay open and pinged until then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The job's id.
    pub id: JobId,
    /// Why the job became a dead letter. Absent from the letters of 0.1.0.
    #[serde(default, skip_serializing_if = "DeadClass::is_failed")]
    pub class: DeadClass,
    /// The job's kind; `None` if this release does not know the command or proof id,
    /// or cannot read the message's body.
    pub kind: Option<Kind>,
    /// The id of the rollup that the job belongs to, if the request contains one.
    pub rollup_id: Option<u32>,
    /// The reason in words: `job 1c9f… parked: …`.
    pub reason: String,
    /// The failed attempts, oldest first.
    pub history: Vec<AttemptRecord>,
    /// When the bridge took the job, in milliseconds since the Unix epoch.
    pub taken_at_ms: u64,
    /// When the job became a dead letter, in milliseconds since the Unix epoch.
    pub died_at_ms: u64,
    /// The request, or a reference to the ledger. In a letter without a kind whose
    /// class is [`DeadClass::Version`]: the message's whole body.
    pub payload: Payload,
}

impl DeadLetter {
    /// Makes the letter of a job that travelled through the broker; `why` follows
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

    /// Makes the letter of an unreadable message; `why` follows `job 1c9f… parked: `.
    /// A message without an id gets an id made from its body.
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

    /// The reason of a letter whose job exceeded the delivery limit.
    pub(crate) fn crashes(deliveries: u32, limit: u32) -> String {
        format!(
            "delivered {deliveries} times without a settlement (delivery limit {limit}); \
             it may crash workers"
        )
    }

    /// Makes a letter's reason: `job 1c9f… parked: why`.
    pub fn parked(id: JobId, why: &str) -> String {
        format!("job {} parked: {why}", id.short())
    }

    /// Makes the job of a letter, at attempt 1 with its history, also from a body that
    /// an earlier release could not read. `None`: this release cannot prove the job.
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
