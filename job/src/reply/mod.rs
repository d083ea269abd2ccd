//! Replies: the data that zkWhirl returns to Falafel in an `ack` frame.
//!
//! Every reply begins with the published fields, at the same places for every prover.
//! The prover's own data follow: a PLONK proof of `rollup_cli`, or a [`NativeProof`].

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
