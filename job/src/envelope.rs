//! What travels through the broker: a version byte, then MessagePack.
//!
//! A body of another version, a truncated one or one with trailing bytes is
//! refused with a typed error; the worker that met it lives on.

use std::io::ErrorKind;

use bytes::Bytes;
use rmp_serde::decode::Error;
use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};

use crate::{AttemptRecord, Command, Failure, JobId, Kind, Sizes, Topic, limits};

/// The version byte of every body that this release writes.
pub const VERSION: u8 = 1;
/// The longest body, in bytes: a request inline, its history and the framing.
pub const BODY_BYTES: usize = limits::REQUEST_BYTES + (1 << 20);
/// The deepest nesting that is read, fields of later releases included.
const DEPTH: usize = 16;

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
    /// The trace that it belongs to, in W3C's form. It travels beside the body.
    #[serde(skip)]
    pub trace: Option<String>,
}

/// The request of a job, in the message or beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Payload {
    /// The request itself.
    Inline(#[serde(with = "bytes_as_bin")] Bytes),
    /// The request is in the ledger under the job's id, which is its digest.
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
    /// The trace that it belongs to, in W3C's form. It travels beside the body.
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

/// A body that is no envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// No bytes at all.
    #[error("the message body is empty")]
    Empty,
    /// More bytes than any envelope has.
    #[error("the message body has {bytes} bytes, the limit is {BODY_BYTES}")]
    Long {
        /// The body's length.
        bytes: usize,
    },
    /// Written by another release.
    #[error("the message body has version {got}, this release reads {VERSION}")]
    Version {
        /// The version byte.
        got: u8,
    },
    /// Not the MessagePack of an envelope.
    #[error("the message body is no {what}: {reason}")]
    Malformed {
        /// What it should be.
        what: &'static str,
        /// Why it is not.
        reason: String,
    },
}

impl JobEnvelope {
    /// The topic that the job travels on.
    pub fn topic(&self) -> Topic {
        self.kind.topic()
    }

    /// The command of the job's frame.
    pub fn command(&self) -> Command {
        match self.kind {
            Kind::JoinSplitVk => Command::GetJoinSplitVk,
            Kind::AccountVk => Command::GetAccountVk,
            Kind::TxRollup | Kind::Claim | Kind::RootRollup | Kind::RootVerifier => {
                Command::CreateProof
            }
        }
    }

    /// The message body.
    pub fn to_bytes(&self) -> Bytes {
        encode(self)
    }

    /// Reads a message body.
    pub fn parse(body: &[u8]) -> Result<Self, EnvelopeError> {
        decode(body, "job")
    }
}

impl ResultEnvelope {
    /// The message body.
    pub fn to_bytes(&self) -> Bytes {
        encode(self)
    }

    /// Reads a message body.
    pub fn parse(body: &[u8]) -> Result<Self, EnvelopeError> {
        decode(body, "result")
    }
}

fn encode(value: &impl Serialize) -> Bytes {
    let mut out = vec![VERSION];
    rmp_serde::encode::write_named(&mut out, value)
        .expect("writing plain data to memory cannot fail");
    out.into()
}

fn decode<T: DeserializeOwned>(body: &[u8], what: &'static str) -> Result<T, EnvelopeError> {
    if body.len() > BODY_BYTES {
        return Err(EnvelopeError::Long { bytes: body.len() });
    }
    let (version, rest) = body.split_first().ok_or(EnvelopeError::Empty)?;
    if *version != VERSION {
        return Err(EnvelopeError::Version { got: *version });
    }
    let malformed = |reason: String| EnvelopeError::Malformed { what, reason };
    // From a slice, a length beyond the end is refused before anything is
    // allocated; from a reader it is found out while a buffer grows.
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(rest);
    deserializer.set_max_depth(DEPTH);
    let value = T::deserialize(&mut deserializer).map_err(|e| malformed(e.to_string()))?;
    match IgnoredAny::deserialize(&mut deserializer) {
        Err(Error::InvalidMarkerRead(e)) if e.kind() == ErrorKind::UnexpectedEof => Ok(value),
        _ => Err(malformed("more bytes follow it".into())),
    }
}

/// `Bytes` as MessagePack bin, without serde's element-by-element form.
mod bytes_as_bin {
    use std::fmt;

    use bytes::Bytes;
    use serde::{Deserializer, Serializer, de::Visitor};

    pub(super) fn serialize<S: Serializer>(bytes: &Bytes, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Bytes, D::Error> {
        struct Bin;
        impl Visitor<'_> for Bin {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("binary data")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes::copy_from_slice(bytes))
            }

            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                Ok(bytes.into())
            }
        }
        d.deserialize_byte_buf(Bin)
    }
}
