//! Keys: their sections in a file, their points and matrices where they lie,
//! their setup, and their other forms.

mod export;
mod mapped;
mod matrices;
mod points;
mod proving_key;
mod setup;

pub use export::{evm_proof, snarkjs_proof, snarkjs_vk, solidity};
pub use proving_key::{NativeKey, VerificationKey};

pub(super) use mapped::Mapped;
pub(super) use matrices::{MappedMatrices, MappedMatrix, times, to_bytes as matrices_to_bytes};
pub(super) use points::{check_subgroup, read_g1, read_g2};
pub(super) use proving_key::{generate, identity, vk_bytes, write};
