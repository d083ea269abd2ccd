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
    /// A whole file of another release's format, of another circuit, or of other
    /// constraints of the same circuit. The whole sentence.
    #[error("{0}")]
    Foreign(String),
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
    /// The fleet has a key, but its file is not shared. The whole sentence.
    #[error("{0}")]
    NotShared(String),
    /// A key that must not be used, given or replaced, that another process
    /// takes too long to make, or that its generator cannot make. The whole
    /// sentence.
    #[error("{0}")]
    Refused(String),
    /// Settings that no keystore can be made of.
    #[error("{0}")]
    Config(String),
}

impl KeyError {
    /// Makes the error for an action on `path` that the file system refused.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path: path.clone(),
            source,
        }
    }

    /// The error for a damaged file. `problem` is a clause: "it is cut off".
    pub fn damaged(path: &Path, problem: impl Into<String>) -> Self {
        KEYSTORE_DAMAGED.one([]);
        Self::Damaged {
            path: path.to_owned(),
            problem: problem.into(),
        }
    }
}
