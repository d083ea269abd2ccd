//! The native engine: Groth16 over BN254 for the statements of
//! `zkwhirl-circuits`, from keys that hold the constraint matrices.

mod audit;
mod ceremony;
mod engine;
mod export;
mod groth16;
mod import;
mod key;
mod mapped;
mod matrices;
mod points;
mod progress;
mod self_test;
mod setup;
mod statement;
#[cfg(feature = "test-util")]
pub mod stock;
mod verify;

pub use audit::audit;
pub use ceremony::{CeremonyError, Powers, Zkey, write_r1cs};
pub use engine::{Engine, EngineConfig, EngineError, Receipt};
pub use export::{evm_proof, snarkjs_proof, snarkjs_vk, solidity};
pub use groth16::SizeMismatch;
pub use import::{ImportError, import_key, import_powers, import_zkey};
pub use key::{NativeKey, VerificationKey};
pub use self_test::self_test_request;
pub use statement::{Checked, StatementError, check, published_fields};
pub use verify::NativeVerifier;
