//! One proof of a reply, and the errors of reading a reply.

use std::fmt::Display;

use ark_bn254::Fr;
use zkwhirl_circuits::{Circuit, SeamError, TooLarge, published::PublishedError};
use zkwhirl_job::reply::ReplyError;

/// One proof of a reply, with everything that its verification needs except
/// the verification key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyProof {
    /// The proof's name in messages: `claim`, `segment 2 of 3`, `client proof
    /// of tx 4`.
    pub name: String,
    /// The circuit that the proof is for.
    pub circuit: Circuit,
    /// BLAKE3 of the verification key, as the reply names it.
    pub vk: [u8; 32],
    /// The public input, computed from the reply's fields.
    pub public_input: Fr,
    /// The proof: A ‖ B ‖ C, compressed: 32, 64 and 32 bytes.
    pub proof: [u8; 128],
}

/// Why a reply is not a native reply of the setting: its prover made a mistake, or
/// has another setting. Checking the reply again gives the same error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The published fields do not belong to any statement.
    #[error(transparent)]
    Published(#[from] PublishedError),
    /// The bytes are not a valid bundle.
    #[error(transparent)]
    Bundle(#[from] ReplyError),
    /// No circuits of the allowed size prove the inner rollup.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The values between the pieces of a chain do not fit this chain.
    #[error(transparent)]
    Seams(#[from] SeamError),
    /// The tail's form, words, keys or proofs do not fit the setting and the
    /// published fields. The field is the complete message.
    #[error("{0}")]
    Tail(String),
}

impl ReadError {
    pub(super) fn tail(problem: impl Display) -> Self {
        Self::Tail(problem.to_string())
    }

    pub(super) fn words(count: usize) -> Self {
        Self::Tail(format!(
            "{count} words beside the published fields are too few or too many"
        ))
    }

    pub(super) fn not_canonical(word: usize) -> Self {
        Self::Tail(format!("word {word} is not a canonical field element"))
    }
}
