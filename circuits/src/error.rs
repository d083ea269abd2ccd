//! Errors of requests that are no true statements, and of published words.

use thiserror::Error;

use crate::rule::{Rule, Violation};

/// Why a request is not a valid statement.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StatementError {
    /// The request breaks a rule of the protocol.
    #[error(transparent)]
    Broken(#[from] Violation),
    /// The published words of an inner rollup are invalid.
    #[error("inner rollup {at}: {problem}")]
    Inner {
        /// Index of the inner rollup, from 0.
        at: usize,
        /// What is wrong with the inner rollup's words.
        problem: PublishedError,
    },
    /// A word is not below the field's modulus.
    #[error("{0} is not a canonical field element")]
    NotCanonical(&'static str),
    /// A list or path has the wrong length for its statement.
    #[error("{} has length {}, expected {}", .0.what, .0.got, .0.expected)]
    Length(#[from] CountError),
    /// The witness belongs to another statement than the circuit.
    #[error("the witness does not belong to a {0} statement")]
    Kind(&'static str),
}

/// A list has too few or too many elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{got} {what}, expected {expected}")]
pub struct CountError {
    /// The elements that are counted.
    pub what: &'static str,
    /// Number of elements that were given.
    pub got: usize,
    /// Number of elements that are expected.
    pub expected: usize,
}

/// Why published words do not belong to a valid statement of their kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PublishedError {
    /// Too few or too many published fields or client digests (one per slot).
    #[error(transparent)]
    Count(#[from] CountError),
    /// A word is not below the modulus.
    #[error("published field {0} is not a canonical field element")]
    NotCanonical(usize),
    /// A bridge call data has more than 250 bits.
    #[error("published field {0} is out of range")]
    Range(usize),
    /// The fields belong to a root rollup; [`Broadcast::read`] reads them with the txs.
    ///
    /// [`Broadcast::read`]: crate::root_rollup::Broadcast::read
    #[error("a root rollup's published fields can be read only with its txs")]
    NotAlone,
    /// A field that is fixed for the statement's size has another value.
    #[error("published field {0} does not have its fixed value")]
    Fixed(usize),
    /// The inputs hash is not the SHA-256 of the published txs.
    #[error("inputs hash is not the SHA-256 of the published txs")]
    InputsHash,
}

impl From<Rule> for StatementError {
    fn from(rule: Rule) -> Self {
        Self::Broken(rule.into())
    }
}

impl CountError {
    /// Returns an error if `got` differs from `expected`.
    pub(crate) fn check(what: &'static str, got: usize, expected: usize) -> Result<(), Self> {
        let error = Self {
            what,
            got,
            expected,
        };
        if got == expected { Ok(()) } else { Err(error) }
    }
}
