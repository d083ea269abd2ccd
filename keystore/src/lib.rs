//! Proving and verification keys by identity: made once, checked when read,
//! never mixed.
//!
//! A key is one file: a header that names the circuit, the digest of its
//! constraint matrices, the provenance of its setup and the BLAKE3 of each
//! section; then the sections, page-aligned. What a section means is the
//! prover's business. **Invariant:** a [`KeyFile`] that was opened has the
//! identity that was asked for and every byte of it was checked.

mod embedded;
mod error;
mod file;
mod identity;

pub use embedded::{EmbeddedKeyStore, Generated, ensure_usable};
pub use error::KeyError;
pub use file::{KeyFile, KeyWriter, SectionSummary};
pub use identity::{CircuitIdentity, KeyId, Provenance};
