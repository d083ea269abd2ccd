//! Replies: what a request states, what each proof of a reply must verify for,
//! and the verification of both.

mod batch;
pub(super) mod client_fields;
mod inners;
mod reading;
mod rollup;
mod statement;
mod verification_keys;
mod verifier;

pub use batch::{BadProof, Entry, verify_batch};
pub use client_fields::ClientError;
pub use reading::{ProofClaim, ReadError, tx_rollup as read_tx_rollup};
pub use rollup::{InnerRollup, Rollup, Txs, tx_kind};
pub use statement::{Checked, StatementError, check, published_fields};
pub use verification_keys::NotVerified;
pub use verifier::{NativeVerifier, verify_rollup};

pub(super) use statement::{Part, Statement, client_circuit};
