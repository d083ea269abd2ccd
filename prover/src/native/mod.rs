//! The native engine: Groth16 over BN254 for the statements of
//! `zkwhirl-circuits`, from keys that hold the constraint matrices.

mod batch;
mod client;
mod engine;
mod groth16;
mod inside;
mod key;
mod matrices;
mod pieces;
mod points;
mod progress;
mod rollup;
mod self_test;
mod statement;
#[cfg(feature = "test-util")]
pub mod stock;
mod verify;
mod vks;

pub use batch::{BadProof, Entry, verify_batch};
pub use client::{client_vk, verify_client};
pub use engine::{Engine, EngineConfig, EngineError, Receipt};
pub use groth16::SizeMismatch;
pub use key::{NativeKey, VerificationKey};
pub use pieces::{Piece, VerifyError};
pub use rollup::{InnerRollup, Rollup, Txs, tx_kind};
pub use self_test::self_test_request;
pub use statement::{Checked, StatementError, check, published_fields};
pub use verify::{NativeVerifier, verify_rollup};
pub use vks::identity;
