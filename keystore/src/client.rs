//! Verification keys of the client circuits: bytes that zkWhirl stores and
//! returns unchanged.

use std::fmt;

use crate::KeyError;

/// The length limit of a client circuit's verification key in bytes.
/// Barretenberg's keys have about 1.5 kB.
pub const CLIENT_VK_BYTES: usize = 64 << 10;

const PROVER_BYTES: usize = 64;

/// The circuits that a client's own proofs are made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientKind {
    /// A payment.
    JoinSplit,
    /// An account's registration.
    Account,
}

/// A client circuit as one prover builds it. Each prover has its own
/// verification key for the same circuit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientCircuit {
    prover: String,
    kind: ClientKind,
}

impl ClientCircuit {
    /// The circuit `kind` of `prover`: `rollup_cli`, or a suite of the native
    /// engine. A prover's name has 1 to 64 characters of `a-z A-Z 0-9 . _ -`.
    pub fn new(prover: &str, kind: ClientKind) -> Result<Self, KeyError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if prover.is_empty() || prover.len() > PROVER_BYTES || !prover.chars().all(allowed) {
            return Err(KeyError::Config(format!(
                "{prover:?} is no prover's name: use 1 to {PROVER_BYTES} characters of a-z A-Z 0-9 . _ -"
            )));
        }
        Ok(Self {
            prover: prover.to_owned(),
            kind,
        })
    }

    /// The circuit's name in paths and in Redis: kind (without a dot), dot, prover.
    pub(crate) fn slug(&self) -> String {
        format!("{}.{}", self.kind, self.prover)
    }

    /// Refuses `bytes` whose length no verification key of a client has.
    pub(crate) fn check(&self, bytes: &[u8]) -> Result<(), KeyError> {
        if (1..=CLIENT_VK_BYTES).contains(&bytes.len()) {
            return Ok(());
        }
        let bytes = bytes.len();
        Err(self.refused(format_args!(
            "it has {bytes} bytes, 1 to {CLIENT_VK_BYTES} are allowed"
        )))
    }

    /// The error for a verification key that cannot be stored or returned.
    pub(crate) fn refused(&self, problem: impl fmt::Display) -> KeyError {
        KeyError::Refused(format!(
            "the verification key for {self} cannot be used: {problem}"
        ))
    }

    /// The error for an imported key that differs from the stored key.
    pub(crate) fn differs(&self, here: &str, given: &str, place: &str) -> KeyError {
        let short = |digest: &str| digest.get(..16).unwrap_or(digest).to_owned();
        self.refused(format_args!(
            "its BLAKE3 is {}, and a key with {} was imported before; to replace that, remove {place}",
            short(given),
            short(here),
        ))
    }
}

impl fmt::Display for ClientKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::JoinSplit => "join-split",
            Self::Account => "account",
        })
    }
}

impl fmt::Display for ClientCircuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} circuit of {}", self.kind, self.prover)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_their_folder_are_refused() {
        let new = |prover: &str| ClientCircuit::new(prover, ClientKind::Account);
        assert_eq!(new("rollup_cli").unwrap().slug(), "account.rollup_cli");
        for prover in ["", "a/b", "a b", "ä", &"a".repeat(65)] {
            let error = new(prover).unwrap_err().to_string();
            assert!(error.contains("no prover's name"), "{error}");
        }
    }
}
