//! A machine's copy of the fleet's records, for use while Redis is unreachable: the
//! verification key, and beside the key a copy of the manifest (the *pin*).

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
        // The pin is needed only while Redis is unreachable.
        if let Err(error) = kept {
            tracing::warn!(circuit = circuit.name, %error, "cannot record on this machine which key is the fleet's");
        }
    }

    /// The manifest of the fleet's key when Redis last confirmed the key.
    pub(super) fn pin(&self, circuit: &CircuitIdentity) -> Option<Manifest> {
        let path = self.pin_path(circuit);
        let place = path.display().to_string();
        let manifest = Manifest::parse(&blobs::read(&path).ok()??, &place).ok()?;
        manifest.check_circuit(circuit, &place).ok()?;
        Some(manifest)
    }

    /// The local key, if the pin names it, in place of `away`, the error of Redis.
    pub(super) fn held(
        &self,
        circuit: &CircuitIdentity,
        away: KeyError,
    ) -> Result<KeyFile, KeyError> {
        let Some(key) = self.local.find(circuit)? else {
            return Err(away);
        };
        let Some(pin) = self.pin(circuit) else {
            // Other processes may refuse proofs under an unconfirmed key.
            return Err(match away {
                KeyError::Away { place, why } => {
                    let path = key.path().display();
                    let why =
                        format!("{why}; Redis never confirmed that {path} is the fleet's key");
                    KeyError::Away { place, why }
                }
                other => other,
            });
        };
        pin.check_key(&key)?;
        tracing::warn!(circuit = circuit.name, %away, "Redis is unreachable: using this machine's key, which Redis confirmed before");
        Ok(key)
    }

    fn pin_path(&self, circuit: &CircuitIdentity) -> PathBuf {
        self.local.path(circuit).with_extension("pin")
    }
}
