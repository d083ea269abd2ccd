//! The native engine: Groth16 over BN254 for the statements of
//! `zkwhirl-circuits`, from keys that hold the constraint matrices.

mod audit;
mod batch;
mod ceremony;
mod client;
mod clients;
mod engine;
mod export;
mod factors;
mod groth16;
mod import;
mod inners;
mod key;
mod mapped;
mod matrices;
mod points;
mod progress;
mod reading;
mod rollup;
mod self_test;
mod setting;
mod setup;
mod statement;
#[cfg(feature = "test-util")]
pub mod stock;
mod verification_keys;
mod verify;

pub use audit::audit;
pub use batch::{BadProof, Entry, verify_batch};
pub use ceremony::{CeremonyError, Powers, Zkey, write_r1cs};
pub use client::{client_vk, verify_client};
pub use clients::ClientError;
pub use engine::{Engine, EngineConfig, EngineError, Receipt};
pub use export::{evm_proof, snarkjs_proof, snarkjs_vk, solidity};
pub use groth16::SizeMismatch;
pub use import::{ImportError, import_key, import_powers, import_zkey};
pub use key::{NativeKey, VerificationKey};
pub use reading::{ProofClaim, ReadError, tx_rollup as read_tx_rollup};
pub use rollup::{InnerRollup, Rollup, Txs, tx_kind};
pub use self_test::self_test_request;
pub use setting::{NoCircuit, Setting};
pub use statement::{Checked, StatementError, check, published_fields};
pub use verification_keys::NotVerified;
pub use verify::{NativeVerifier, verify_rollup};
