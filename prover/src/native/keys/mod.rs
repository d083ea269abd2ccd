//! Keys: sections in a file, points and matrices in mapped memory, setup, and
//! export to other formats.

mod export;
mod mapped;
mod matrices;
mod points;
mod proving_key;
mod setup;
#[cfg(test)]
pub(super) mod small;
mod verification_key;

#[cfg(test)]
pub(super) use export::snarkjs_proof;
pub use export::{evm_proof, snarkjs_vk, solidity};
pub use verification_key::VerificationKey;

pub(super) use matrices::{MappedMatrices, MappedMatrix, to_bytes as matrices_to_bytes};
pub(super) use points::{PointError, check_subgroup, point_bytes, read_points, sum};
pub(super) use proving_key::{NativeKey, Queries, generate, identity, write};
pub(super) use verification_key::vk_bytes;
