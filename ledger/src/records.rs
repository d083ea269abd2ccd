//! What the ledger keeps.

use std::collections::BTreeMap;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use zkwhirl_job::{Frame, JobId, Kind, TicketId, clock, identify};

use super::JobState;

/// One Falafel id on one upstream that waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Falafel's id.
    pub id: TicketId,
    /// The name of the upstream that it came from.
    pub upstream: String,
    /// The job whose result answers it.
    pub job: JobId,
    /// When the bridge first saw it, in milliseconds since the Unix epoch.
    pub taken_at_ms: u64,
}

/// What is known about a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRecord {
    /// The job.
    pub id: JobId,
    /// The command's code on the wire, which may be unknown.
    pub command: u32,
    /// Its kind; `None` for an unknown command or proof id.
    pub kind: Option<Kind>,
    /// The rollup that it is part of, when the request says so.
    pub rollup_id: Option<u32>,
    /// Bytes of its request. The limit plus one stands for every longer request, of
    /// which only the beginning and a digest are kept.
    pub request_bytes: usize,
    /// When it was first taken, in milliseconds since the Unix epoch.
    pub taken_at_ms: u64,
    /// When its state last changed, in milliseconds since the Unix epoch.
    pub changed_at_ms: u64,
    /// Its state.
    pub state: JobState,
    /// The attempt that runs or that comes next, from 1.
    pub attempt: u32,
    /// The worker that claimed it last.
    pub worker: Option<String>,
    /// Why it is in this state: a failure, or an operator's reason.
    pub reason: Option<String>,
}

impl JobRecord {
    /// The record of a frame's job, as it is when the frame is taken. The
    /// rollup id is not known before the request was parsed.
    pub fn of_frame(frame: &Frame) -> Self {
        let now = clock::now_ms();
        Self {
            id: JobId::of_code(frame.command, &frame.data),
            command: frame.command,
            kind: identify(frame.command, &frame.data),
            rollup_id: None,
            request_bytes: frame.data.len(),
            taken_at_ms: now,
            changed_at_ms: now,
            state: JobState::Taken,
            attempt: 1,
            worker: None,
            reason: None,
        }
    }

    /// Whether no worker has claimed the job and no attempt has failed since it was
    /// taken.
    pub fn is_new(&self) -> bool {
        self.state == JobState::Taken && self.changed_at_ms == self.taken_at_ms
    }
}

/// What changes together with a job's state; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Note {
    /// The attempt that runs or that comes next.
    pub attempt: Option<u32>,
    /// The worker that has the job.
    pub worker: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

impl Note {
    /// A note that only says why.
    pub fn because(reason: impl Into<String>) -> Self {
        Self {
            reason: Some(reason.into()),
            ..Self::default()
        }
    }
}

/// The result of [`crate::Ledger::take`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// False: the ticket was open already, Falafel issued it again.
    pub new_ticket: bool,
    /// False: an equal request was taken before.
    pub new_job: bool,
    /// The job as it is now.
    pub job: JobRecord,
}

/// A reply that answers a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredResult {
    /// The reply for Falafel.
    pub reply: Bytes,
    /// Its SHA-256, as it was when the result was made.
    pub digest: [u8; 32],
    /// The attempt that made it.
    pub attempt: u32,
    /// The worker that made it.
    pub worker: String,
    /// How long the prover took, in milliseconds.
    pub prove_ms: u64,
}

impl StoredResult {
    /// A result with the digest of its reply.
    pub fn new(reply: Bytes, attempt: u32, worker: impl Into<String>, prove_ms: u64) -> Self {
        let digest = Sha256::digest(&reply).into();
        Self {
            reply,
            digest,
            attempt,
            worker: worker.into(),
            prove_ms,
        }
    }

    /// Whether the reply is still what it was.
    pub(crate) fn is_intact(&self) -> bool {
        <[u8; 32]>::from(Sha256::digest(&self.reply)) == self.digest
    }
}

/// A reply that cannot be verified yet, because a key is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnverifiedReply {
    /// When the job's first such reply was kept, in milliseconds since the Unix
    /// epoch by the ledger's clock.
    pub since_ms: u64,
    /// The reply, as its worker made it.
    pub result: StoredResult,
}

/// One event of the ledger's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEvent {
    /// Its position in the stream.
    pub cursor: String,
    /// When, in milliseconds since the Unix epoch by Redis's clock.
    pub at_ms: u64,
    /// Its name: a job's new state, or `joined`, `closed`, `result`, `forgotten`,
    /// `adopted`, `joined-fleet`, `left-fleet`, `epoch`.
    pub what: String,
    /// The job, for a job's event.
    pub job: Option<JobId>,
    /// Its details: `ticket`, `upstream`, `from`, `attempt`, `worker`,
    /// `reason`, `bridge`; each text cut to 256 bytes.
    pub detail: BTreeMap<String, String>,
}
