//! Replies: what goes back to Falafel in an `ack` frame.
//!
//! The published fields stand first in every reply and at the same places
//! whichever prover made it; what follows them is the prover's own: a PLONK
//! proof of `rollup_cli`'s, or a [`NativeProof`].

mod bundle;
mod native;
mod not_verified;
mod shape;
mod words;

pub use bundle::{Bundle, BundleError, BundledInner};
pub use native::{
    MAX_PROOFS, MAX_VKS, MAX_WORDS, NativeForm, NativeProof, NativeProofError, SINGLE_TAIL_BYTES,
    SuiteTag,
};
pub use not_verified::NotVerified;
pub use shape::{CLAIM_FIELDS, ReplyError, ReplyShape, broadcast_bytes, fields, tx_rollup_fields};
pub use words::WordsError;
