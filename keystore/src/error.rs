//! What can be wrong with a key.

use std::{io, path::PathBuf};

/// A key that cannot be used, with the way out.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file system said no.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is not a key, is cut off, or a byte of it changed.
    #[error("key {} is damaged: {problem}; remove it and it is made again", path.display())]
    Damaged {
        /// The key's file.
        path: PathBuf,
        /// What does not hold.
        problem: String,
    },
    /// The key belongs to another circuit, size, suite or release.
    #[error(
        "key {} belongs to another circuit ({field} {got}, expected {expected}); \
         regenerate: zkwhirl keys generate {circuit}",
        path.display()
    )]
    OtherCircuit {
        /// The key's file.
        path: PathBuf,
        /// Which part of the identity differs.
        field: &'static str,
        /// What the key says.
        got: String,
        /// What the circuit says.
        expected: String,
        /// The circuit that was asked for.
        circuit: String,
    },
    /// A development key where none is allowed.
    #[error(
        "key for {circuit} is a {provenance}: it proves nothing to a stranger; \
         allow it with --allow-dev-keys, or make another with zkwhirl keys generate"
    )]
    DevKeyRefused {
        /// The circuit.
        circuit: String,
        /// Where the key came from.
        provenance: String,
    },
    /// The generator failed.
    #[error("cannot generate the key for {circuit}: {reason}")]
    Generate {
        /// The circuit.
        circuit: String,
        /// Why not.
        reason: String,
    },
}
