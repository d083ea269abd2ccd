//! The messages that travel through the broker, encoded by [`body`].

pub mod body;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub use body::{BodyError, VERSION};

use crate::{AttemptRecord, Command, Failure, JobId, Kind, Sizes, Topic, limits};

/// The longest body, in bytes: a request inline, its history and the framing.
pub const BODY_BYTES: usize = limits::REQUEST_BYTES + (1 << 20);

/// The message of a job for a worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobEnvelope {
    /// The job's id.
    pub id: JobId,
    /// The job's kind, which determines the topic.
    pub kind: Kind,
    /// The id of the rollup that the job belongs to, if the request contains one.
    pub rollup_id: Option<u32>,
    /// The sizes of the bridge and its Falafel; a worker of other sizes refuses the
    /// job. Absent in the messages of earlier releases.
    #[serde(default)]
    pub sizes: Option<Sizes>,
    /// The number of the attempt that the next claim begins, from 1.
    pub attempt: u32,
    /// When the bridge took the job, in milliseconds since the Unix epoch.
    pub taken_at_ms: u64,
    /// The request, or a reference to the ledger.
    pub payload: Payload,
    /// The records of the failed attempts, oldest first, at most
    /// [`limits::ATTEMPT_RECORDS`].
    pub history: Vec<AttemptRecord>,
    /// The W3C trace context of the job. It travels in a header, not in the body.
    #[serde(skip)]
    pub trace: Option<String>,
}

/// The request of a job, in the message or in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Payload {
    /// The message contains the request.
    Inline(#[serde(with = "bytes_as_bin")] Bytes),
    /// The request is in the ledger, under the job's id.
    Stored {
        /// The request's length in bytes.
        bytes: u64,
    },
}

/// The message of a job's outcome for the bridge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultEnvelope {
    /// The job's id.
    pub id: JobId,
    /// The job's kind.
    pub kind: Kind,
    /// The number of the attempt that gave this result.
    pub attempt: u32,
    /// The name of the worker that made the result.
    pub worker: String,
    /// How long the prover took, in milliseconds.
    pub prove_ms: u64,
    /// The proof, or the failure.
    pub outcome: Outcome,
    /// The W3C trace context of the job. It travels in a header, not in the body.
    #[serde(skip)]
    pub trace: Option<String>,
}

/// A proof or a typed failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The job was proved: the reply for Falafel, which the worker has verified.
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

    /// The command of the frame that requested the job.
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

/// Writes `Bytes` as MessagePack bin instead of serde's list of numbers.
mod bytes_as_bin {
    use bytes::Bytes;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &Bytes, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_bytes(bytes)
    }

    /// Reads bytes from a body in memory, with one copy.
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Bytes, D::Error> {
        <&[u8]>::deserialize(d).map(Bytes::copy_from_slice)
    }
}
