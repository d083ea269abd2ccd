//! Storage of proving and verification keys by identity: a key is made once,
//! checked when it is read, and never mixed with another key.
//!
//! **Invariant:** an open [`KeyFile`] has the requested identity, and each of its
//! bytes was checked. Only the prover knows what the sections of a key file
//! mean.
//!
//! Keys come from a [`KeyStore`]: [`EmbeddedKeyStore`] is a directory;
//! [`FleetKeyStore`] has a record in Redis that pins one key of each circuit for
//! the whole fleet, and a shared directory of key files. Two setups of one circuit
//! are two keys, and proofs under one do not verify under the other.
//! **Invariant:** the proving key and the verification key that a store returns
//! for a circuit belong together.

mod advance;
mod blobs;
mod client;
#[cfg(test)]
mod conformance;
mod embedded;
mod error;
mod file;
mod fleet;
mod identity;
mod store;
mod vk_folder;

pub use blobs::digest as vk_digest;
pub use client::{CLIENT_VK_BYTES, ClientCircuit, ClientKind};
pub use embedded::EmbeddedKeyStore;
pub use error::KeyError;
pub use file::{KeyFile, KeyWriter, MappedBytes, SectionSummary};
pub use fleet::{FleetConfig, FleetKeyStore};
pub use identity::{CircuitIdentity, KeyId, Provenance};
pub use store::{Generate, KeyProgress, KeyStore, ensure_usable};
pub use vk_folder::{VkFile, VkFolder, VkSource};

pub(crate) use advance::Advance;
pub(crate) use store::{Generated, KeyGenerator, Watch};
