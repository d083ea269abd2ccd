//! The native engine: Groth16 over BN254 for the statements of
//! `zkwhirl-circuits`, from keys that hold the constraint matrices.
//!
//! Imports run `engine → reply → keys` and `ceremony → keys`; [`Setting`] is
//! below all of them.

mod ceremony;
mod engine;
mod keys;
mod reply;
mod setting;

pub use ceremony::{
    CeremonyError, ImportError, Powers, Zkey, audit, import_key, import_powers, import_zkey,
    write_r1cs,
};
#[cfg(feature = "test-util")]
pub use engine::stock;
pub use engine::{
    Engine, EngineConfig, EngineError, Receipt, SizeMismatch, client_vk, self_test_request,
    verify_client,
};
pub use keys::{NativeKey, VerificationKey, evm_proof, snarkjs_proof, snarkjs_vk, solidity};
pub use reply::{
    BadProof, Checked, ClientError, Entry, InnerRollup, NativeVerifier, NotVerified, ProofClaim,
    ReadError, Rollup, StatementError, Txs, check, published_fields, read_tx_rollup, tx_kind,
    verify_batch, verify_rollup,
};
pub use setting::{NoCircuit, Setting};
