//! The native engine: Groth16 over BN254 for the statements of
//! `zkwhirl-circuits`, from keys that hold the constraint matrices.

mod batch;
mod client;
mod engine;
mod groth16;
mod key;
mod matrices;
mod points;
mod progress;
mod self_test;
mod statement;
#[cfg(feature = "test-util")]
pub mod stock;
mod verify;

pub use batch::{BadProof, Entry, verify_batch};
pub use client::{BadClient, ClientError, client_vk, verify_client};
pub use engine::{Engine, EngineConfig, EngineError, Receipt};
pub use groth16::SizeMismatch;
pub use key::{NativeKey, VerificationKey};
pub use self_test::self_test_request;
pub use statement::{Checked, StatementError, check, published_fields};
pub use verify::NativeVerifier;
