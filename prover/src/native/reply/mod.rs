//! Replies: the statements that a request makes, the proofs of a reply, and the
//! verification of replies.

mod batch;
mod client_fields;
mod inners;
mod part;
mod reading;
mod reply_proof;
mod rollup;
mod statement;
mod verification_keys;
mod verifier;

pub use reading::tx_rollup as read_tx_rollup;
pub use rollup::{TxCount, VerifiedRollup, tx_kind};
pub use statement::{check, published_fields};
pub use verifier::{NativeVerifier, verify_client, verify_rollup};

pub(super) use batch::{BatchEntry, verify_batch};
pub(super) use part::StatementPart;
pub(super) use statement::{CheckedStatement, NotProvable};
