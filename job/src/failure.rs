//! Why an attempt gave no proof, and the record that is kept of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{limits, named};

named! {
    /// What a failure says about the job and about the worker.
    pub enum FailureClass {
        /// This request can never be proved: it is malformed or its statement is
        /// false.
        Invalid = "invalid",
        /// The prover died, ran out of memory or time, or made a bad proof.
        Prover = "prover",
        /// The attempt was given up on purpose: drain or cancel. Not an attempt.
        Interrupted = "interrupted",
        /// Something around the prover failed: a key, the payload, a disk, the
        /// broker. A class that a later release adds is read as this one.
        #[serde(other)]
        Infrastructure = "infrastructure",
    }
}

/// An attempt that gave no proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{class}: {reason}")]
pub struct Failure {
    /// What the failure says about job and worker.
    pub class: FailureClass,
    /// One sentence: what, where, why. At most [`limits::ERROR_TEXT_BYTES`].
    pub reason: String,
}

/// What is kept of one failed attempt, for the dead letters and the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptRecord {
    /// The attempt's number, from 1.
    pub attempt: u32,
    /// The worker that made it.
    pub worker: String,
    /// Why it gave no proof.
    pub failure: Failure,
    /// How long it took.
    pub duration: Duration,
    /// The prover child's exit, when it ended: "exit 1", "signal 9".
    pub exit: Option<String>,
    /// The end of the prover child's standard error.
    pub stderr_tail: String,
    /// The prover child's peak resident memory.
    pub peak_rss_bytes: Option<u64>,
}

impl Failure {
    /// A failure of `class` with its reason, cut to the limit.
    pub fn new(class: FailureClass, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        reason.truncate(reason.floor_char_boundary(limits::ERROR_TEXT_BYTES));
        Self { class, reason }
    }

    /// A request that can never be proved.
    pub fn invalid(reason: impl Into<String>) -> Self {
        Self::new(FailureClass::Invalid, reason)
    }

    /// A prover that failed.
    pub fn prover(reason: impl Into<String>) -> Self {
        Self::new(FailureClass::Prover, reason)
    }

    /// Something around the prover that failed.
    pub fn infrastructure(reason: impl Into<String>) -> Self {
        Self::new(FailureClass::Infrastructure, reason)
    }

    /// An attempt that was given up on purpose.
    pub fn interrupted(reason: impl Into<String>) -> Self {
        Self::new(FailureClass::Interrupted, reason)
    }
}
