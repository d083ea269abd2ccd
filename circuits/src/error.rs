//! Errors of requests that state nothing true, and of published words.

use thiserror::Error;

use crate::rule::{Rule, Violation};

/// Why a request is not a valid statement.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StatementError {
    /// A rule is broken.
    #[error(transparent)]
    Broken(#[from] Violation),
    /// No valid inner rollup has these published words.
    #[error("inner rollup {at}: {problem}")]
    Inner {
        /// Which inner rollup, counted from 0.
        at: usize,
        /// What is wrong with its words.
        problem: PublishedError,
    },
    /// A word is not below the field's modulus.
    #[error("{0} is not a canonical field element")]
    NotCanonical(&'static str),
    /// A list or path has the wrong length for its statement.
    #[error("{} has length {}, expected {}", .0.what, .0.got, .0.expected)]
    Length(#[from] CountError),
    /// The witness is of another statement than the circuit.
    #[error("the witness is not one of a {0} statement")]
    Kind(&'static str),
}

/// There are too few or too many of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{got} {what}, expected {expected}")]
pub struct CountError {
    /// What is counted.
    pub what: &'static str,
    /// How many there are.
    pub got: usize,
    /// How many there should be.
    pub expected: usize,
}

/// Why published words belong to no valid statement of their kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PublishedError {
    /// Too few or too many published fields, or client digests: one a slot.
    #[error(transparent)]
    Count(#[from] CountError),
    /// A word is not below the modulus.
    #[error("published field {0} is not a canonical field element")]
    NotCanonical(usize),
    /// A bridge call data does not fit 250 bits.
    #[error("published field {0} is out of range")]
    Range(usize),
    /// The fields are a root rollup's: [`Broadcast::read`] reads them, with the txs.
    ///
    /// [`Broadcast::read`]: crate::root_rollup::Broadcast::read
    #[error("the published fields of a root rollup are read with its txs only")]
    NotAlone,
    /// A field that is the same in every statement of the size has another value.
    #[error("published field {0} does not have its fixed value")]
    Fixed(usize),
    /// The inputs hash is not that of the published txs.
    #[error("inputs hash is not the SHA-256 of the published txs")]
    InputsHash,
}

impl From<Rule> for StatementError {
    fn from(rule: Rule) -> Self {
        Self::Broken(rule.into())
    }
}

impl CountError {
    /// Demands a number of things.
    pub(crate) fn check(what: &'static str, got: usize, expected: usize) -> Result<(), Self> {
        let error = Self {
            what,
            got,
            expected,
        };
        if got == expected { Ok(()) } else { Err(error) }
    }
}
