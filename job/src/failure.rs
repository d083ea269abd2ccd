//! The failure of an attempt, and the record of a failed attempt.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{limits, named};

named! {
    /// The class of a failure, which determines what happens to the job.
    pub enum FailureClass {
        /// The request can never be proved: it is malformed, or its statement is false.
        Invalid = "invalid",
        /// The prover died, ran out of memory or time, or made a bad proof.
        Prover = "prover",
        /// The attempt was cancelled or stopped by a drain, and is not counted.
        Interrupted = "interrupted",
        /// A service of the prover failed: a key, the payload, a disk, the broker. A
        /// class that a later release adds is read as this one.
        #[serde(other)]
        Infrastructure = "infrastructure",
    }
}

/// The reason why an attempt gave no proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{class}: {reason}")]
pub struct Failure {
    /// The class of the failure.
    pub class: FailureClass,
    /// One sentence: what, where, why. At most [`limits::ERROR_TEXT_BYTES`].
    pub reason: String,
}

/// The record of one failed attempt, for dead letters and operators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptRecord {
    /// The attempt's number, from 1.
    pub attempt: u32,
    /// The name of the worker that made the attempt.
    pub worker: String,
    /// Why the attempt gave no proof.
    pub failure: Failure,
    /// How long the attempt took.
    pub duration: Duration,
    /// The exit of the prover's child process, if it ended: "exit 1", "signal 9".
    pub exit: Option<String>,
    /// The end of the child process's standard error.
    pub stderr_tail: String,
    /// The child process's peak resident memory in bytes, if it is known.
    pub peak_rss_bytes: Option<u64>,
}

impl Failure {
    /// Makes a failure of `class`; a longer reason is cut to the limit.
    pub fn new(class: FailureClass, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        reason.truncate(reason.floor_char_boundary(limits::ERROR_TEXT_BYTES));
        Self { class, reason }
    }

    /// Makes the failure of a request that can never be proved.
    pub fn invalid(reason: impl Into<String>) -> Self {
        Self::new(FailureClass::Invalid, reason)
    }

    /// Makes the failure of a prover.
    pub fn prover(reason: impl Into<String>) -> Self {
        Self::new(FailureClass::Prover, reason)
    }

    /// Makes the failure of a service of the prover, such as a key or a disk.
    pub fn infrastructure(reason: impl Into<String>) -> Self {
        Self::new(FailureClass::Infrastructure, reason)
    }

    /// Makes the failure of an attempt that was cancelled or stopped by a drain.
    pub fn interrupted(reason: impl Into<String>) -> Self {
        Self::new(FailureClass::Interrupted, reason)
    }
}
