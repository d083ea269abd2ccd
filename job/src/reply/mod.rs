//! Replies: what goes back to Falafel in an `ack` frame.
//!
//! The published fields stand first in every reply and at the same places
//! whichever prover made it; what follows them is the prover's own: a PLONK
//! proof of `rollup_cli`'s, or a [`NativeProof`].

mod bundle;
mod error;
mod native;
mod not_verified;
mod shape;
mod words;

pub use bundle::{Bundle, BundledInner};
pub use error::ReplyError;
pub use native::{
    MAX_PROOFS, MAX_VKS, MAX_WORDS, NativeForm, NativeProof, SINGLE_TAIL_BYTES, SuiteTag,
};
pub use not_verified::NotVerified;
pub use shape::{CLAIM_FIELDS, ReplyShape, broadcast_bytes, fields, tx_rollup_fields};
