//! The native engine: Groth16 over BN254 for the statements of
//! `zkwhirl-circuits`, from keys that hold the constraint matrices.

mod batch;
mod client;
mod clients;
mod engine;
mod groth16;
mod inners;
mod key;
mod matrices;
mod points;
mod progress;
mod reading;
mod rollup;
mod self_test;
mod setting;
mod statement;
#[cfg(feature = "test-util")]
pub mod stock;
mod verification_keys;
mod verify;

pub use batch::{BadProof, Entry, verify_batch};
pub use client::{client_vk, verify_client};
pub use clients::ClientError;
pub use engine::{Engine, EngineConfig, EngineError, Receipt};
pub use groth16::SizeMismatch;
pub use key::{NativeKey, VerificationKey};
pub use reading::{ProofClaim, ReadError, tx_rollup as read_tx_rollup};
pub use rollup::{InnerRollup, Rollup, Txs, tx_kind};
pub use self_test::self_test_request;
pub use setting::{NoCircuit, Setting};
pub use statement::{Checked, StatementError, check, published_fields};
pub use verification_keys::NotVerified;
pub use verify::{NativeVerifier, verify_rollup};
