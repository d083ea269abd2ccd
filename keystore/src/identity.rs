//! The identity of circuits and keys.

use std::{fmt, path::Path};

use serde::{Deserialize, Serialize};

use crate::KeyError;

/// The version of the file layout and of every section's encoding; part of
/// every [`KeyId`].
pub(crate) const FORMAT: u32 = 2;

/// A circuit as the code of this release builds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CircuitIdentity {
    /// The circuit's name: statement, suite and sizes: `tx-rollup/poseidon/1`.
    pub name: String,
    /// The depths of the trees that the circuit works on, as text for messages.
    /// The matrices depend on the depths.
    pub depths: String,
    /// BLAKE3 of the constraint matrices, hexadecimal: circuits with other constraints
    /// differ, even under the same name.
    pub matrices: String,
    /// The number of constraints.
    pub rows: u64,
}

/// The origin of the secret numbers of a key's setup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provenance {
    /// Derived from a seed in the source code: everybody can forge proofs.
    DevSeeded {
        /// The seed.
        seed: u64,
    },
    /// Drawn at random by one machine: its operator could forge proofs.
    SingleParty,
    /// From a ceremony's powers of tau, and one contribution drawn at random by
    /// one machine: its operator could forge proofs.
    Powers {
        /// The powers of tau: their BLAKE3, hexadecimal.
        powers: String,
    },
    /// From a ceremony: sound if at least one contributor destroyed their secret.
    Ceremony {
        /// The powers of tau that every point was checked against: their BLAKE3,
        /// hexadecimal. `None`: the import had no powers of tau.
        powers: Option<String>,
        /// The contributions to the second phase, oldest first: BLAKE2b-512,
        /// hexadecimal, as snarkjs shows them.
        contributions: Vec<String>,
    },
}

/// A key's identity: BLAKE3 over the circuit's, the file format's and the
/// provenance, and the verification key's bytes. Two random setups of one
/// circuit are two keys.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KeyId(pub [u8; 32]);

impl CircuitIdentity {
    /// The first 16 digits of the matrices' digest: enough to tell circuits apart
    /// if the whole digest is checked afterwards.
    pub(crate) fn short(&self) -> &str {
        self.matrices.get(..16).unwrap_or(&self.matrices)
    }

    /// Refuses the key at `path` if its circuit, `found`, is not this circuit.
    pub fn check(&self, path: &Path, found: &Self) -> Result<(), KeyError> {
        let Some((field, expected, got)) = self.difference(found) else {
            return Ok(());
        };
        Err(KeyError::Foreign(format!(
            "key {} belongs to another circuit than {} ({field} {got}, expected {expected}); \
             remove the file and the expected key is made",
            path.display(),
            self.name
        )))
    }

    /// The first part in which `other` differs: the part's name, its value in
    /// this circuit and its value in `other`.
    pub(crate) fn difference(&self, other: &Self) -> Option<(&'static str, String, String)> {
        let mut pairs = self.parts().into_iter().zip(other.parts());
        pairs.find_map(|((part, own), (_, others))| (own != others).then_some((part, own, others)))
    }

    /// The circuit's parts with their names, the clearest for a person first.
    fn parts(&self) -> [(&'static str, String); 6] {
        let mut names = self.name.splitn(3, '/').map(str::to_owned);
        let mut next = || names.next().unwrap_or_default();
        [
            ("statement", next()),
            ("suite", next()),
            ("size", next()),
            ("tree depths", self.depths.clone()),
            ("rows", self.rows.to_string()),
            ("matrices", self.matrices.clone()),
        ]
    }
}

impl KeyId {
    /// The id of the key that a setup of `provenance` made for `circuit`.
    pub fn of(circuit: &CircuitIdentity, provenance: &Provenance, vk: &[u8]) -> Self {
        let mut hash = blake3::Hasher::new_derive_key("zkwhirl 2026 proving key identity v2");
        for part in [
            circuit.name.as_bytes(),
            circuit.depths.as_bytes(),
            circuit.matrices.as_bytes(),
            &circuit.rows.to_be_bytes(),
            &FORMAT.to_be_bytes(),
            &serde_json::to_vec(provenance).unwrap_or_default(),
            vk,
        ] {
            hash.update(&(part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(*hash.finalize().as_bytes())
    }
}

impl Provenance {
    /// True if everybody can forge proofs under such a key.
    pub fn is_insecure(&self) -> bool {
        matches!(self, Self::DevSeeded { .. })
    }
}

fn short(digest: &str) -> &str {
    digest.get(..8).unwrap_or(digest)
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DevSeeded { seed } => write!(f, "dev key (seed {seed}, never for funds)"),
            Self::SingleParty => f.write_str("single-party setup (not a ceremony)"),
            Self::Powers { powers } => write!(
                f,
                "single-party contribution to powers of tau {} (half a ceremony)",
                short(powers)
            ),
            Self::Ceremony {
                powers,
                contributions,
            } => {
                let last = contributions.last().map_or("", |hash| short(hash));
                write!(
                    f,
                    "ceremony of {} contributions, last {last}",
                    contributions.len()
                )?;
                match powers {
                    Some(powers) => write!(f, ", checked against powers of tau {}", short(powers)),
                    None => f.write_str(", not checked against its powers of tau"),
                }
            }
        }
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({})", hex::encode(&self.0[..4]))
    }
}
