//! What a machine remembers of the fleet: the manifest beside the key, and the
//! verification key, for the time when Redis is away.

use std::path::PathBuf;

use super::{FleetKeyStore, Manifest};
use crate::{CircuitIdentity, KeyError, KeyFile, blobs};

impl FleetKeyStore {
    /// Remembers what the fleet's key is.
    pub(super) fn remember(&self, manifest: &Manifest, vk: &[u8]) {
        let circuit = &manifest.circuit;
        let kept = self.local.blobs().put(vk).and_then(|_| {
            if self.pin(circuit).as_ref() == Some(manifest) {
                return Ok(());
            }
            let json = serde_json::to_vec_pretty(manifest).unwrap_or_default();
            blobs::write_whole(&self.pin_path(circuit), &json)
        });
        // Without it all works until Redis is away.
        if let Err(error) = kept {
            tracing::warn!(circuit = circuit.name, %error, "cannot remember the fleet's key");
        }
    }

    /// What the fleet's key was when Redis was last asked.
    pub(super) fn pin(&self, circuit: &CircuitIdentity) -> Option<Manifest> {
        let path = self.pin_path(circuit);
        let manifest = Manifest::parse(&blobs::read(&path).ok()??).ok()?;
        let place = path.display().to_string();
        manifest.check_circuit(circuit, &place).ok()?;
        Some(manifest)
    }

    /// The local key while Redis is away, when it was the fleet's.
    pub(super) fn held(
        &self,
        circuit: &CircuitIdentity,
        away: KeyError,
    ) -> Result<KeyFile, KeyError> {
        let Some(key) = self.local.find(circuit)? else {
            return Err(away);
        };
        let Some(pin) = self.pin(circuit) else {
            // Proofs under it might not verify anywhere.
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
        tracing::warn!(circuit = circuit.name, %away, "going on with the key that is here");
        Ok(key)
    }

    fn pin_path(&self, circuit: &CircuitIdentity) -> PathBuf {
        self.local.path(circuit).with_extension("pin")
    }
}
