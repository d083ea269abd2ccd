//! Message bodies between processes of different releases: a version byte, then
//! MessagePack with named fields.
//!
//! docs/ARCHITECTURE.md, "Wires", has the rule by which neighbouring releases read each
//! other's bodies. A body that the rule does not cover is [`BodyError::OtherRelease`]:
//! the message is requeued unchanged, without an attempt. A body that breaks its own
//! version's layout (truncated, trailing bytes, too long, nested too deep) is damaged,
//! whichever release wrote it, and is refused at once.
//!
//! The writer raises the version by one when it leaves a field out or adds a
//! variant of [`super::Payload`] or [`super::Outcome`], and by two when a reader
//! of the release before would misunderstand the body.

use std::{io::ErrorKind, ops::RangeInclusive};

use bytes::Bytes;
use rmp_serde::decode::Error;
use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};

use crate::Kind;

/// The version byte of every body that this release writes.
pub const VERSION: u8 = 1;
/// The version bytes that this release reads; no release wrote 0.
pub(crate) const READS: RangeInclusive<u8> = VERSION..=VERSION + 1;
/// How deeply a body may be nested, including the fields of later releases.
const DEPTH: usize = 16;

/// Why a body cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Another release wrote the body, and a process of that release can read it.
    #[error("another release wrote the message: {0}")]
    OtherRelease(String),
    /// The body is empty, too long, or not the MessagePack of its version.
    #[error("the message body {0}")]
    Damaged(String),
}

impl BodyError {
    /// Whether a process of another release may read the body: then requeue it.
    pub fn is_other_release(&self) -> bool {
        matches!(self, Self::OtherRelease(_))
    }
}

/// Encodes a value as a message body.
pub fn encode(value: &impl Serialize) -> Bytes {
    let mut out = vec![VERSION];
    rmp_serde::encode::write_named(&mut out, value)
        .expect("writing plain data to memory cannot fail");
    out.into()
}

/// Reads a body of at most `limit` bytes; `what` names the body in errors.
pub fn decode<T: DeserializeOwned>(
    body: &[u8],
    what: &'static str,
    limit: usize,
) -> Result<T, BodyError> {
    let empty = || BodyError::Damaged("is empty".to_owned());
    let (version, rest) = body.split_first().ok_or_else(empty)?;
    if !READS.contains(version) {
        let (first, last) = READS.into_inner();
        let why = format!("version {version}, this release reads {first} to {last}");
        return Err(BodyError::OtherRelease(why));
    }
    if body.len() > limit {
        let bytes = body.len();
        let why = format!("has {bytes} bytes, the limit is {limit}");
        return Err(BodyError::Damaged(why));
    }
    let unfit = match whole(rest) {
        Ok(value) => return Ok(value),
        Err(unfit) => unfit,
    };
    if let Ok(Named { kind }) = whole(rest)
        && let Err(unknown) = kind.parse::<Kind>()
    {
        return Err(BodyError::OtherRelease(format!("its kind {unknown}")));
    }
    let reason = unfit.to_string();
    if *version != VERSION && whole::<IgnoredAny>(rest).is_ok() {
        let why = format!("a {what} of version {version}: {reason}");
        return Err(BodyError::OtherRelease(why));
    }
    Err(BodyError::Damaged(format!("is no {what}: {reason}")))
}

/// The field that distinguishes a job of an unknown kind from a damaged body.
#[derive(Deserialize)]
struct Named {
    kind: String,
}

#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error(transparent)]
    Decode(#[from] Error),
    #[error("more bytes follow it")]
    Trailing,
}

fn whole<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unfit> {
    // A slice's decoder refuses a length beyond the end before it allocates; a
    // reader's decoder would find the end only while a buffer grows.
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes);
    deserializer.set_max_depth(DEPTH);
    let value = T::deserialize(&mut deserializer)?;
    match IgnoredAny::deserialize(&mut deserializer) {
        Err(Error::InvalidMarkerRead(e)) if e.kind() == ErrorKind::UnexpectedEof => Ok(value),
        _ => Err(Unfit::Trailing),
    }
}
