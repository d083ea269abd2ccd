//! Proving and verification keys by identity: made once, checked when read,
//! never mixed.
//!
//! A key is one file: a header that names the circuit, the digest of its
//! constraint matrices, the provenance of its setup and the BLAKE3 of each
//! section; then the sections, page-aligned. What a section means is the
//! prover's business. **Invariant:** a [`KeyFile`] that was opened has the
//! identity that was asked for and every byte of it was checked.
//!
//! Keys are got through a [`KeyStore`]: [`EmbeddedKeyStore`], a directory, or
//! [`FleetKeyStore`], where Redis says which key of a circuit is everybody's and
//! a shared directory holds the files. Two setups of one circuit are two keys,
//! and proofs under one do not verify under the other. **Invariant:** of what a
//! store gives out for a circuit, proving and verification keys belong together.

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

pub use advance::Advance;
pub use blobs::digest as vk_digest;
pub use client::{CLIENT_VK_BYTES, ClientCircuit, ClientKind};
pub use embedded::EmbeddedKeyStore;
pub use error::KeyError;
pub use file::{KeyFile, KeyWriter, MappedBytes, SectionSummary};
pub use fleet::{FleetConfig, FleetKeyStore, Manifest};
pub use identity::{CircuitIdentity, KeyId, Provenance};
pub use store::{Generate, Generated, Generator, KeyProgress, KeyStore, Watch, ensure_usable};
pub use vk_folder::{VkFile, VkFolder, VkSource};
