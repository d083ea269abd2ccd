//! The records of the ledger.

use std::collections::BTreeMap;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use zkwhirl_job::{Frame, JobId, Kind, TicketId, clock, identify};

use super::JobState;

/// A ticket: an id that Falafel gave on one upstream, and that waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// The id that Falafel gave the ticket.
    pub id: TicketId,
    /// The name of the upstream that issued the ticket.
    pub upstream: String,
    /// The id of the job whose result answers the ticket.
    pub job: JobId,
    /// When the bridge first received the ticket, in milliseconds since the Unix epoch.
    pub taken_at_ms: u64,
}

/// The ledger's record of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRecord {
    /// The job's id.
    pub id: JobId,
    /// The command's code on the wire, which may be unknown.
    pub command: u32,
    /// The job's kind; `None` for an unknown command or proof id.
    pub kind: Option<Kind>,
    /// The id of the job's rollup, if the request contains one.
    pub rollup_id: Option<u32>,
    /// The size of the job's request in bytes. A request above the limit is recorded as
    /// the limit plus one; only its beginning and a digest are stored.
    pub request_bytes: usize,
    /// When the job was first taken, in milliseconds since the Unix epoch.
    pub taken_at_ms: u64,
    /// When the job's state last changed, in milliseconds since the Unix epoch.
    pub changed_at_ms: u64,
    /// The job's state.
    pub state: JobState,
    /// The number of the running or next attempt, from 1.
    pub attempt: u32,
    /// The name of the last worker that claimed the job.
    pub worker: Option<String>,
    /// The reason of the job's state: a failure, or an operator's reason.
    pub reason: Option<String>,
}

impl JobRecord {
    /// Makes the record of a frame's job in the state `Taken`. The rollup id is not
    /// known before the request is parsed.
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

/// The fields that change together with a job's state; `None` leaves a field unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Note {
    /// The number of the running or next attempt.
    pub attempt: Option<u32>,
    /// The name of the worker that has the job.
    pub worker: Option<String>,
    /// The reason of the new state.
    pub reason: Option<String>,
}

impl Note {
    /// Makes a note with only a reason.
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
    /// False: the ticket was open already, and Falafel issued it again.
    pub new_ticket: bool,
    /// False: a ticket with an equal request was taken before.
    pub new_job: bool,
    /// The job's present record.
    pub job: JobRecord,
}

/// A reply that answers a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredResult {
    /// The reply for Falafel.
    pub reply: Bytes,
    /// The SHA-256 of the reply at the time when the result was made.
    pub digest: [u8; 32],
    /// The number of the attempt that made the reply.
    pub attempt: u32,
    /// The name of the worker that made the reply.
    pub worker: String,
    /// How long the prover took, in milliseconds.
    pub prove_ms: u64,
}

impl StoredResult {
    /// Makes a result, with the digest of its reply.
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

    /// Whether the reply still has its digest.
    pub(crate) fn is_intact(&self) -> bool {
        <[u8; 32]>::from(Sha256::digest(&self.reply)) == self.digest
    }
}

/// A reply that cannot be verified yet, because a key is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnverifiedReply {
    /// When the job's first unverified reply was stored, in milliseconds since the Unix
    /// epoch by the ledger's clock.
    pub since_ms: u64,
    /// The result with the reply.
    pub result: StoredResult,
}

/// One event of the ledger's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEvent {
    /// The event's position in the stream.
    pub cursor: String,
    /// When the event happened, in milliseconds since the Unix epoch by Redis's clock.
    pub at_ms: u64,
    /// The event's name: a job's new state, or `joined`, `closed`, `result`, `forgotten`,
    /// `adopted`, `joined-fleet`, `left-fleet`, `epoch`.
    pub what: String,
    /// The id of the event's job, if the event is about a job.
    pub job: Option<JobId>,
    /// The event's details: `ticket`, `upstream`, `from`, `attempt`, `worker`,
    /// `reason`, `bridge`; each text cut to 256 bytes.
    pub detail: BTreeMap<String, String>,
}
