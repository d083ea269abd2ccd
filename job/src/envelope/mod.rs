//! What travels through the broker, as [`body`] encodes it.

pub mod body;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub use body::{BodyError, VERSION};

use crate::{AttemptRecord, Command, Failure, JobId, Kind, Sizes, Topic, limits};

/// The longest body, in bytes: a request inline, its history and the framing.
pub const BODY_BYTES: usize = limits::REQUEST_BYTES + (1 << 20);

/// A job on its way to a worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobEnvelope {
    /// The job.
    pub id: JobId,
    /// Its kind; the topic follows from it.
    pub kind: Kind,
    /// The rollup that it is part of, when the request says so.
    pub rollup_id: Option<u32>,
    /// The sizes that its bridge and Falafel are made for; a worker of other
    /// sizes refuses the job. Absent in the messages of earlier releases.
    #[serde(default)]
    pub sizes: Option<Sizes>,
    /// The attempt that the next claim will be, from 1.
    pub attempt: u32,
    /// When the bridge took the job, in milliseconds since the Unix epoch.
    pub taken_at_ms: u64,
    /// Where the request is.
    pub payload: Payload,
    /// The attempts that failed, oldest first, at most
    /// [`limits::ATTEMPT_RECORDS`].
    pub history: Vec<AttemptRecord>,
    /// The W3C trace context of the job. It travels in a header, not in the body.
    #[serde(skip)]
    pub trace: Option<String>,
}

/// The request of a job, in the message or beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Payload {
    /// The request itself.
    Inline(#[serde(with = "bytes_as_bin")] Bytes),
    /// The request is in the ledger, under the job's id.
    Stored {
        /// Its length in bytes.
        bytes: u64,
    },
}

/// What became of a job, on its way to the bridge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultEnvelope {
    /// The job.
    pub id: JobId,
    /// Its kind.
    pub kind: Kind,
    /// The attempt that this is the result of.
    pub attempt: u32,
    /// The worker that made it.
    pub worker: String,
    /// How long the prover took, in milliseconds.
    pub prove_ms: u64,
    /// The proof, or why there is none.
    pub outcome: Outcome,
    /// The W3C trace context of the job. It travels in a header, not in the body.
    #[serde(skip)]
    pub trace: Option<String>,
}

/// A proof or a typed failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The reply for Falafel; verified by the worker.
    Proved(#[serde(with = "bytes_as_bin")] Bytes),
    /// The job was given up on and is a dead letter.
    Dead(Failure),
}

impl JobEnvelope {
    /// The topic that the job travels on.
    pub fn topic(&self) -> Topic {
        self.kind.topic()
    }

    /// The failed attempts of this series, oldest first: a replayed job starts a
    /// new series at attempt 1 and keeps its older history.
    pub fn failed_in_series(&self) -> &[AttemptRecord] {
        let failed = self.attempt.saturating_sub(1) as usize;
        &self.history[self.history.len().saturating_sub(failed)..]
    }

    /// The command of the job's frame.
    pub fn command(&self) -> Command {
        self.kind.command()
    }

    /// The message body.
    pub fn to_bytes(&self) -> Bytes {
        body::encode(self)
    }

    /// Reads a message body.
    pub fn parse(bytes: &[u8]) -> Result<Self, BodyError> {
        body::decode(bytes, "job", BODY_BYTES)
    }
}

impl ResultEnvelope {
    /// The message body.
    pub fn to_bytes(&self) -> Bytes {
        body::encode(self)
    }

    /// Reads a message body.
    pub fn parse(bytes: &[u8]) -> Result<Self, BodyError> {
        body::decode(bytes, "result", BODY_BYTES)
    }
}

/// `Bytes` as MessagePack bin, without serde's element-by-element form.
mod bytes_as_bin {
    use bytes::Bytes;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &Bytes, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_bytes(bytes)
    }

    /// From a body in memory, whose bytes are copied once.
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Bytes, D::Error> {
        <&[u8]>::deserialize(d).map(Bytes::copy_from_slice)
    }
}
