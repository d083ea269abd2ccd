//! The error of the engine.

use zkwhirl_circuits::{StatementError, TooLarge};
use zkwhirl_job::{
    Failure,
    reply::{NotVerified, ReplyError},
};
use zkwhirl_keystore::KeyError;

use super::groth16::SizeMismatch;
use crate::native::reply::NotProvable;

/// Why the engine did not return a verified reply.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The request cannot be proved: it has wrong sizes, or its statement is
    /// false.
    #[error(transparent)]
    Statement(#[from] NotProvable),
    /// The circuit is larger than allowed.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// A proof inside the request does not verify, or cannot be checked now.
    #[error(transparent)]
    Inside(#[from] NotVerified),
    /// The proofs inside the request are too many for one reply.
    #[error(transparent)]
    Bundle(#[from] ReplyError),
    /// A key cannot be found, made or used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Key and circuit differ in size. The checks of a key exclude this.
    #[error(transparent)]
    Size(#[from] SizeMismatch),
    /// The new proof does not verify, because of broken memory or a bug.
    #[error("the new proof does not verify: {0}")]
    NotVerified(String),
}

impl From<StatementError> for EngineError {
    fn from(error: StatementError) -> Self {
        Self::Statement(error.into())
    }
}

impl EngineError {
    /// The failure to report for the job.
    pub fn failure(&self) -> Failure {
        let reason = self.to_string();
        match self {
            Self::Statement(NotProvable::TooLarge(_))
            | Self::TooLarge(_)
            | Self::Inside(NotVerified::CannotCheck { .. })
            | Self::Key(_) => Failure::infrastructure(reason),
            Self::Statement(_) | Self::Inside(NotVerified::Refused { .. }) | Self::Bundle(_) => {
                Failure::invalid(reason)
            }
            Self::Size(_) | Self::NotVerified(_) => Failure::prover(reason),
        }
    }
}
