//! The native engine: Groth16 over BN254 for the statements of
//! `zkwhirl-circuits`, from keys that hold the constraint matrices.

mod engine;
mod groth16;
mod key;
mod mapped;
mod matrices;
mod points;
mod progress;
mod self_test;
mod statement;
#[cfg(feature = "test-util")]
pub mod stock;
mod verify;

pub use engine::{Engine, EngineConfig, EngineError, Receipt};
pub use groth16::SizeMismatch;
pub use key::{NativeKey, VerificationKey};
pub use self_test::self_test_request;
pub use statement::{Checked, StatementError, check, published_fields};
pub use verify::NativeVerifier;
