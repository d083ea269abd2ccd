//! The native engine: Groth16 over BN254 for the statements of
//! `zkwhirl-circuits`, with keys that contain the constraint matrices.
//!
//! Modules import one another in the direction `engine → reply → keys` and
//! `ceremony → keys`; all import [`Setting`].

mod ceremony;
mod engine;
mod keys;
mod reply;
mod setting;

pub use ceremony::{audit, import_key, import_powers, import_zkey, write_r1cs};
#[cfg(feature = "test-util")]
pub use engine::stock;
pub use engine::{
    Engine, EngineConfig, EngineError, Lap, ProofReceipt, Rival, Rivals, client_vk,
    self_test_request,
};
pub use keys::{VerificationKey, evm_proof, snarkjs_vk, solidity};
pub use reply::{
    NativeVerifier, TxCount, VerifiedRollup, check, published_fields, read_tx_rollup, tx_kind,
    verify_client, verify_rollup,
};
pub use setting::Setting;
