//! Imports of keys from other stores and from ceremonies.

use std::path::Path;

use ark_bn254::Bn254;
use ark_groth16::ProvingKey;
use rand::rngs::OsRng;
use zkwhirl_circuits::{Circuit, r1cs::Matrices};
use zkwhirl_keystore::{
    CircuitIdentity, Generate, KeyError, KeyFile, KeyStore, KeyWriter, Provenance,
};

use super::{CeremonyError, Powers, Zkey, domain, start};
use crate::native::keys;

/// Why a key was not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A ceremony's file is refused.
    #[error(transparent)]
    Ceremony(#[from] CeremonyError),
    /// The keystore or the key's file cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Stores an unchanged key file, which the caller has audited; returns the stored key.
pub fn import_key(store: &dyn KeyStore, file: &KeyFile) -> Result<KeyFile, KeyError> {
    let id = file.id().to_string();
    let mut write = |writer: &mut KeyWriter| {
        for section in file.sections() {
            let bytes = file.section(&section.name)?;
            writer.section(&section.name, &bytes)?;
        }
        Ok(())
    };
    let (circuit, given) = (file.circuit(), &id[..8]);
    let key = put(store, circuit, file.provenance(), given, &mut write)?;
    match key.id() == file.id() {
        true => Ok(key),
        false => Err(taken(&key, given)),
    }
}

/// Imports a ceremony's key and returns the stored key. If powers of tau are given,
/// every point is checked against them.
pub fn import_zkey(
    store: &dyn KeyStore,
    circuit: &Circuit,
    zkey: &Path,
    powers: Option<&Path>,
    step: &dyn Fn(&'static str),
) -> Result<KeyFile, ImportError> {
    step("circuit");
    let matrices = circuit.matrices();
    step("points");
    let key = Zkey::read(zkey, &matrices)?;
    let checked = powers.map(|path| {
        step("powers");
        let powers = Powers::read(path, domain(&matrices))?;
        step("relations");
        key.check_against(&matrices, &powers)?;
        Ok::<_, CeremonyError>(powers.digest)
    });
    let provenance = Provenance::Ceremony {
        powers: checked.transpose()?,
        contributions: key.contributions.clone(),
    };
    put_key(store, circuit, &matrices, &provenance, &key.key)
}

/// Makes a key from a ceremony's powers of tau and one contribution that this
/// process draws at random, and returns the stored key.
pub fn import_powers(
    store: &dyn KeyStore,
    circuit: &Circuit,
    powers: &Path,
    step: &dyn Fn(&'static str),
) -> Result<KeyFile, ImportError> {
    step("circuit");
    let matrices = circuit.matrices();
    step("powers");
    let powers = Powers::read(powers, domain(&matrices))?;
    step("key");
    let key = start(&matrices, &powers, &mut OsRng);
    let provenance = Provenance::Powers {
        powers: powers.digest,
    };
    put_key(store, circuit, &matrices, &provenance, &key)
}

fn put_key(
    store: &dyn KeyStore,
    circuit: &Circuit,
    matrices: &Matrices,
    provenance: &Provenance,
    key: &ProvingKey<Bn254>,
) -> Result<KeyFile, ImportError> {
    let identity = keys::identity(circuit, matrices);
    let mut write = |writer: &mut KeyWriter| keys::write(writer, key, matrices);
    let given = provenance.to_string();
    let file = put(store, &identity, provenance, &given, &mut write)?;
    if file.vk() == keys::vk_bytes(&key.vk) {
        return Ok(file);
    }
    Err(taken(&file, &given).into())
}

/// Stores a key unless the circuit has one, and returns the circuit's key.
fn put(
    store: &dyn KeyStore,
    identity: &CircuitIdentity,
    provenance: &Provenance,
    given: &str,
    write: &mut Generate<'_>,
) -> Result<KeyFile, KeyError> {
    let made = store.find_or_generate(identity, provenance, write, &|_| {})?;
    if made.fresh || made.key.provenance() == provenance {
        return Ok(made.key);
    }
    Err(taken(&made.key, given))
}

fn taken(here: &KeyFile, given: &str) -> KeyError {
    let (circuit, id) = (&here.circuit().name, here.id().to_string());
    KeyError::Refused(format!(
        "there is a key for {circuit} already, {}, and {given} is another key; \
         remove the stored key first: zkwhirl keys remove",
        &id[..8]
    ))
}
