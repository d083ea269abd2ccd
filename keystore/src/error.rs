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
    /// The file is not a key, is truncated, or one of its bytes has changed.
    #[error("key {} is damaged: {problem}; remove the file and the key is made again", path.display())]
    Damaged {
        /// The key's file.
        path: PathBuf,
        /// What is wrong with the file, as a clause: "it is cut off".
        problem: String,
    },
    /// The file is intact, but has another release's format, or is for another
    /// circuit or other constraints. The field is the complete message.
    #[error("{0}")]
    Foreign(String),
    /// Redis does not answer, and this machine has no copy of the value.
    #[error("cannot reach the fleet's keys in Redis at {place}: {why}")]
    Away {
        /// The address of Redis, without user and password.
        place: String,
        /// Why Redis cannot be reached.
        why: String,
    },
    /// A value in Redis is damaged.
    #[error(
        "the fleet's record {record} in Redis is damaged: {problem}; delete the record, and \
         a process that has a copy of the value writes it again"
    )]
    Record {
        /// The key in Redis.
        record: String,
        /// What is wrong with the record, as a clause.
        problem: String,
    },
    /// The fleet has a key, but the key's file is not in the shared directory.
    #[error("{0}")]
    NotShared(String),
    /// A key that must not be used, exported or replaced, that another process
    /// takes too long to make, or that its generator cannot make. The field is
    /// the complete message.
    #[error("{0}")]
    Refused(String),
    /// The settings of the keystore are unusable. The field says why.
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

    /// Counts a damaged key in the metrics and returns the error for the file.
    pub fn damaged(path: &Path, problem: impl Into<String>) -> Self {
        KEYSTORE_DAMAGED.one([]);
        Self::Damaged {
            path: path.to_owned(),
            problem: problem.into(),
        }
    }
}
