//! Why a request is not a statement, and why words are not those of one.

use thiserror::Error;

use crate::rule::{Rule, Violation};

/// A request that is no valid statement.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StatementError {
    /// A rule is broken.
    #[error(transparent)]
    Broken(#[from] Violation),
    /// An inner rollup's published words cannot be those of a valid one.
    #[error("inner rollup {at}: {problem}")]
    Inner {
        /// Which inner rollup, counted from 0.
        at: usize,
        /// What is wrong with its words.
        problem: InnerWords,
    },
    /// A word is not below the field's modulus.
    #[error("{0} is not a canonical field element")]
    NotCanonical(&'static str),
    /// A list or path has the wrong length for its statement.
    #[error("{what} has length {got}, expected {expected}")]
    Length {
        /// The list.
        what: &'static str,
        /// Its length.
        got: usize,
        /// The length it must have.
        expected: usize,
    },
    /// The witness is of another statement than the circuit.
    #[error("the witness is not one of a {0} statement")]
    Kind(&'static str),
}

/// What is wrong with the published words of an inner rollup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InnerWords {
    /// The reply ends before its published fields do.
    #[error("its reply has {got} bytes, its {fields} published fields alone are {expected}")]
    Reply {
        /// Bytes of the reply.
        got: usize,
        /// Published fields of an inner rollup of this size.
        fields: usize,
        /// Bytes of these fields.
        expected: usize,
    },
    /// Too few or too many words before those of the txs.
    #[error("{got} header words, expected {expected}")]
    Header {
        /// How many there are.
        got: usize,
        /// How many a header has.
        expected: usize,
    },
    /// What every verifier of published words checks.
    #[error(transparent)]
    Published(#[from] PublishedError),
}

/// Published words that cannot belong to a valid statement of their kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PublishedError {
    /// Too few or too many published fields.
    #[error("{got} published fields, expected {expected}")]
    Count {
        /// How many there are.
        got: usize,
        /// How many the statement has.
        expected: usize,
    },
    /// Too few or too many client digests.
    #[error("{got} client digests, expected {expected}")]
    Clients {
        /// How many there are.
        got: usize,
        /// How many the statement has: one a slot.
        expected: usize,
    },
    /// A word is not below the modulus.
    #[error("published field {0} is not a canonical field element")]
    NotCanonical(usize),
    /// A bridge call data does not fit 250 bits.
    #[error("published field {0} is out of range")]
    Range(usize),
    /// The fields of a root rollup are read with its txs, by [`Broadcast::read`].
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

/// Demands a length.
pub(crate) fn expect_length(
    what: &'static str,
    got: usize,
    expected: usize,
) -> Result<(), StatementError> {
    if got == expected {
        Ok(())
    } else {
        Err(StatementError::Length {
            what,
            got,
            expected,
        })
    }
}
