//! One proof of a reply, and the errors of reading a reply.

use ark_bn254::Fr;
use zkwhirl_circuits::{Circuit, SeamError, TooLarge, published::PublishedError};
use zkwhirl_job::reply::{NativeForm, SuiteTag};

/// One proof of a reply, with everything that its verification needs except
/// the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyProof {
    /// The proof's name in messages: `claim`, `segment 2 of 3`, `client proof
    /// of tx 4`.
    pub name: String,
    /// The circuit.
    pub circuit: Circuit,
    /// BLAKE3 of the verification key that the reply names.
    pub vk: [u8; 32],
    /// The public input, computed from the reply's fields.
    pub public_input: Fr,
    /// A ‖ B ‖ C, compressed: 32, 64 and 32 bytes.
    pub proof: [u8; 128],
}

/// A reply that is no native reply of the setting. Its prover made a mistake,
/// or works at another setting: no later check accepts it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The published fields belong to no statement.
    #[error(transparent)]
    Published(#[from] PublishedError),
    /// No circuits of the allowed size prove the inner rollup.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The values between the pieces of a chain are not those of this cut.
    #[error(transparent)]
    Seams(#[from] SeamError),
    /// The proofs are those of another suite or another kind of reply.
    #[error("the proof is of suite {:?} and form {form:?}, must be {} and {must:?}", .suite, .must_suite)]
    Form {
        /// The suite that the tail names.
        suite: SuiteTag,
        /// The suite of the setting.
        must_suite: String,
        /// The form that the tail names.
        form: NativeForm,
        /// The form that the setting demands.
        must: NativeForm,
    },
    /// The tail has too few or too many words.
    #[error("{0} words beside the published fields are too few or too many")]
    Words(usize),
    /// A number is out of its range.
    #[error("word {at}, the {what}, is out of range")]
    Number {
        /// What the number counts.
        what: &'static str,
        /// Its place among the tail's words.
        at: usize,
    },
    /// A word is not below the modulus.
    #[error("word {0} is not a canonical field element")]
    NotCanonical(usize),
    /// No client statement has the tx's proof id.
    #[error("tx {0} has a proof id without a client statement")]
    ProofId(usize),
    /// A client's proof is missing, in the suite in which every tx has one.
    #[error("tx {0} has no native client proof")]
    NotCarried(usize),
    /// No circuit of this release verifies the client proof of a tx.
    #[error("no circuit of this release verifies the client proof of tx {0}")]
    Client(usize),
    /// There are too few or too many keys or proofs.
    #[error("{got} {what}, expected {expected}")]
    Count {
        /// What is counted: keys or proofs.
        what: &'static str,
        /// How many the tail has.
        got: usize,
        /// How many follow from the fields.
        expected: usize,
    },
}
