//! The errors of the keystore.

use std::{
    io,
    path::{Path, PathBuf},
};

use zkwhirl_telemetry::catalogue::keys::KEYSTORE_DAMAGED;

/// A key that cannot be used. Each message names the way out.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The action that failed.
        action: &'static str,
        /// The path.
        path: PathBuf,
        /// The file system's error.
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
    /// The file is of another release's format.
    #[error(
        "key {} has format {got}, this release reads {expected}; remove it and it is made again",
        path.display()
    )]
    Format {
        /// The key's file.
        path: PathBuf,
        /// Its format.
        got: u32,
        /// This release's.
        expected: u32,
    },
    /// The key belongs to another statement, suite, size or tree depth, or to
    /// another release's constraints of the same circuit.
    #[error(
        "key {} belongs to another circuit than {circuit} ({field} {got}, expected {expected}); \
         remove it and that one's is made",
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
    /// This release does not have the key's circuit.
    #[error(
        "key {} is for {circuit}, a circuit that this release does not have",
        path.display()
    )]
    NoCircuit {
        /// The key's file.
        path: PathBuf,
        /// What the key says.
        circuit: String,
    },
    /// The store has another key of the circuit already.
    #[error(
        "there is a key for {circuit} already, {here}, and {given} is another; \
         zkwhirl keys remove makes way for it"
    )]
    Taken {
        /// The circuit.
        circuit: String,
        /// The start of the id of the key that is there.
        here: String,
        /// The new key.
        given: String,
    },
    /// A process has the key mapped.
    #[error(
        "key {} is in use by a process of this machine; stop it first",
        path.display()
    )]
    InUse {
        /// The key's file.
        path: PathBuf,
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
    /// Redis does not answer, and this machine lacks the value.
    #[error("cannot reach the fleet's keys at {place}: {why}")]
    Away {
        /// The Redis, without user and password.
        place: String,
        /// Why not.
        why: String,
    },
    /// A value in Redis is damaged.
    #[error(
        "the fleet's record {record} is damaged: {problem}; delete it, and whoever \
         has what it held writes it again"
    )]
    Record {
        /// The key in Redis.
        record: String,
        /// What does not hold.
        problem: String,
    },
    /// A file or record does not belong to the fleet's key.
    #[error(
        "{place} is not of the fleet's key for {circuit}: its {field} is {got}, \
         {expected} is expected"
    )]
    Mismatch {
        /// The path, or the key in Redis.
        place: String,
        /// The circuit.
        circuit: String,
        /// What differs.
        field: &'static str,
        /// What it is.
        got: String,
        /// What the fleet's manifest, or the circuit, says.
        expected: String,
    },
    /// The fleet has a key, but its file is not shared.
    #[error(
        "the fleet's key {key} for {circuit} is not here, and {missing}; start a worker \
         that has it, or, when it is lost, delete {record} in redis and another is made"
    )]
    NotShared {
        /// The circuit.
        circuit: String,
        /// The start of the key's id.
        key: String,
        /// The place that lacks the file.
        missing: String,
        /// The manifest's key in Redis.
        record: String,
    },
    /// Another process has been making the key for too long.
    #[error("gave up on the key for {circuit}: {who} has been making it for {minutes} minutes")]
    TooLong {
        /// The circuit.
        circuit: String,
        /// The process that makes it.
        who: String,
        /// How long, in minutes.
        minutes: u64,
    },
    /// A client circuit's verification key that cannot be kept or given.
    #[error("the verification key for {client} cannot be used: {problem}")]
    ClientVk {
        /// The client circuit.
        client: String,
        /// Why not.
        problem: String,
    },
    /// Settings that no keystore can be made of.
    #[error("{0}")]
    Config(String),
}

impl KeyError {
    /// The error for a damaged file. `problem` is a clause: "it is cut off".
    pub fn damaged(path: &Path, problem: impl Into<String>) -> Self {
        KEYSTORE_DAMAGED.one([]);
        Self::Damaged {
            path: path.to_owned(),
            problem: problem.into(),
        }
    }
}
