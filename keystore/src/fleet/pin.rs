//! A machine's copy of the fleet's records, for the time when Redis is away: the
//! manifest beside the key (the *pin*) and the verification key.

use std::path::PathBuf;

use super::{FleetKeyStore, Manifest};
use crate::{CircuitIdentity, KeyError, KeyFile, KeyStore, blobs};

impl FleetKeyStore {
    pub(super) fn remember(&self, manifest: &Manifest, vk: &[u8]) {
        let circuit = &manifest.circuit;
        let kept = self.local.blobs.put(vk).and_then(|_| {
            if self.pin(circuit).as_ref() == Some(manifest) {
                return Ok(());
            }
            let json = serde_json::to_vec_pretty(manifest).unwrap_or_default();
            blobs::write_whole(&self.pin_path(circuit), &json)
        });
        // The pin is needed only while Redis is away.
        if let Err(error) = kept {
            tracing::warn!(circuit = circuit.name, %error, "cannot write the local pin of the fleet's key");
        }
    }

    /// The manifest of the fleet's key at the last answer of Redis.
    pub(super) fn pin(&self, circuit: &CircuitIdentity) -> Option<Manifest> {
        let path = self.pin_path(circuit);
        let place = path.display().to_string();
        let manifest = Manifest::parse(&blobs::read(&path).ok()??, &place).ok()?;
        manifest.check_circuit(circuit, &place).ok()?;
        Some(manifest)
    }

    /// The local key while Redis is away, if the pin names it.
    pub(super) fn held(
        &self,
        circuit: &CircuitIdentity,
        away: KeyError,
    ) -> Result<KeyFile, KeyError> {
        let Some(key) = self.local.find(circuit)? else {
            return Err(away);
        };
        let Some(pin) = self.pin(circuit) else {
            // Proofs under an unconfirmed key might verify nowhere.
            return Err(match away {
                KeyError::Away { place, why } => {
                    let path = key.path().display();
                    let why = format!("{why}; whether {path} is the fleet's is not known yet");
                    KeyError::Away { place, why }
                }
                other => other,
            });
        };
        pin.check_key(&key)?;
        tracing::warn!(circuit = circuit.name, %away, "Redis is away: using the locally pinned key");
        Ok(key)
    }

    fn pin_path(&self, circuit: &CircuitIdentity) -> PathBuf {
        self.local.path(circuit).with_extension("pin")
    }
}
