//! The manifest: which key of a circuit is the fleet's key.

use serde::{Deserialize, Serialize};

use crate::{CircuitIdentity, KeyError, KeyFile, KeyId, Provenance, blobs};

/// The length limit of a manifest in bytes. A usual manifest has about 600 bytes,
/// and a ceremony's manifest 131 more for each contribution.
pub(super) const MANIFEST_BYTES: usize = 64 << 10;

/// Which key of a circuit is the fleet's key. A manifest is written once, and
/// never over another manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The circuit.
    pub circuit: CircuitIdentity,
    /// The key's id, hexadecimal.
    pub key: String,
    /// Where the setup's secret numbers came from.
    pub provenance: Provenance,
    /// BLAKE3 of the verification key, hexadecimal.
    pub vk: String,
    /// BLAKE3 of the key's file, hexadecimal.
    pub file: String,
    /// The length of the key's file in bytes.
    pub file_bytes: u64,
    /// The name of the process that published the key.
    pub published_by: String,
}

impl Manifest {
    pub(super) fn of(key: &KeyFile, who: &str) -> Self {
        Self {
            circuit: key.circuit().clone(),
            key: key.id().to_string(),
            provenance: key.provenance().clone(),
            vk: blobs::digest(key.vk()),
            file: key.digest(),
            file_bytes: key.bytes(),
            published_by: who.to_owned(),
        }
    }

    /// Reads a manifest from the bytes of `record`.
    pub(super) fn parse(bytes: &[u8], record: &str) -> Result<Self, KeyError> {
        let damaged = |problem| KeyError::Record {
            record: record.to_owned(),
            problem,
        };
        if bytes.len() > MANIFEST_BYTES {
            let problem = format!("it has more than {MANIFEST_BYTES} bytes");
            return Err(damaged(problem));
        }
        let manifest: Self = serde_json::from_slice(bytes)
            .map_err(|error| damaged(format!("it is no manifest: {error}")))?;
        for (name, text) in [
            ("key", &manifest.key),
            ("vk", &manifest.vk),
            ("file", &manifest.file),
        ] {
            if !blobs::is_digest(text) {
                return Err(damaged(format!("its {name} is no digest")));
            }
        }
        Ok(manifest)
    }

    pub(super) fn check_circuit(
        &self,
        circuit: &CircuitIdentity,
        place: &str,
    ) -> Result<(), KeyError> {
        match circuit.difference(&self.circuit) {
            None => Ok(()),
            Some((field, expected, got)) => Err(mismatch(circuit, place, field, &got, &expected)),
        }
    }

    /// Refuses `vk`, found at `place`, if it is not this key's verification key.
    pub(super) fn check_vk(&self, vk: &[u8], place: &str) -> Result<(), KeyError> {
        let got = blobs::digest(vk);
        if got != self.vk {
            return Err(mismatch(&self.circuit, place, "vk digest", &got, &self.vk));
        }
        // Refuses a manifest with parts of different keys.
        let id = KeyId::of(&self.circuit, &self.provenance, vk).to_string();
        if id != self.key {
            return Err(mismatch(&self.circuit, place, "key id", &id, &self.key));
        }
        Ok(())
    }

    /// Refuses a key that the manifest does not name.
    ///
    /// The id covers circuit, provenance and verification key. The points of
    /// another setup cannot make a proof that verifies under this key.
    pub(super) fn check_key(&self, key: &KeyFile) -> Result<(), KeyError> {
        let place = key.path().display().to_string();
        if *key.provenance() != self.provenance {
            let [got, expected] = [key.provenance(), &self.provenance].map(ToString::to_string);
            return Err(mismatch(&self.circuit, &place, "setup", &got, &expected));
        }
        self.check_vk(key.vk(), &place)?;
        let id = key.id().to_string();
        if id != self.key {
            return Err(mismatch(&self.circuit, &place, "key id", &id, &self.key));
        }
        Ok(())
    }

    pub(super) fn names(&self, key: &KeyFile) -> bool {
        key.id().to_string() == self.key
    }
}

/// The error for a value at `place` that does not belong to the fleet's key.
pub(super) fn mismatch(
    circuit: &CircuitIdentity,
    place: &str,
    field: &str,
    got: &str,
    expected: &str,
) -> KeyError {
    KeyError::Refused(format!(
        "{place} does not belong to the fleet's key for {}: its {field} is {got}, expected {expected}",
        circuit.name
    ))
}
