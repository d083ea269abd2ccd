//! Verification of native replies, with nothing but the verification keys.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ark_bn254::{Bn254, Fr};
use ark_groth16::{Groth16, Proof};
use ark_serialize::CanonicalDeserialize;
use bytes::Bytes;
use zkwhirl_circuits::{Circuit, Suite};
use zkwhirl_job::{
    Request, Sizes,
    reply::{NativeForm, NativeProof, fields},
};
use zkwhirl_keystore::{CircuitIdentity, KeyStore};

use super::{VerificationKey, engine::suite_tag, statement::Statement};

/// Checks replies of the native engine.
///
/// Keys are looked up in the store when the first reply of their circuit comes,
/// and kept; when a proof names another one, once more.
#[derive(Debug)]
pub struct NativeVerifier {
    suite: Suite,
    sizes: Sizes,
    store: Arc<dyn KeyStore>,
    keys: Mutex<HashMap<String, Kept>>,
}

/// A key in use. The identity is kept with it, because building the matrices
/// takes longer than verifying.
#[derive(Debug, Clone)]
struct Kept {
    identity: Arc<CircuitIdentity>,
    key: Option<Arc<VerificationKey>>,
}

impl NativeVerifier {
    /// A verifier of replies at `sizes`, with the keys of `store`.
    pub fn new(suite: Suite, sizes: Sizes, store: impl Into<Arc<dyn KeyStore>>) -> Self {
        Self {
            suite,
            sizes,
            store: store.into(),
            keys: Mutex::new(HashMap::new()),
        }
    }

    /// The suite of the replies.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// Accepts a reply whose published fields are those that the request
    /// demands and whose proof verifies for them; otherwise says why not. The
    /// client proofs of a tx rollup must verify too.
    pub fn verify(&self, request: &Request, reply: &Bytes) -> Result<(), String> {
        let statement =
            Statement::of(request, self.suite, self.sizes).map_err(|error| error.to_string())?;
        if let Request::TxRollup(request) = request {
            self.verify_clients(&request.txs)
                .map_err(|error| error.to_string())?;
        }
        let expected = statement.fields();
        let got = fields(reply, expected.len()).ok_or_else(|| {
            format!(
                "the reply has {} bytes, its {} published fields alone are {}",
                reply.len(),
                expected.len(),
                32 * expected.len()
            )
        })?;
        if let Some(place) = (0..expected.len()).find(|place| got[*place] != expected[*place]) {
            return Err(format!(
                "published field {place} is {}, the request demands {}",
                got[place], expected[place]
            ));
        }
        let native =
            NativeProof::parse(&reply[32 * expected.len()..]).map_err(|error| error.to_string())?;
        if native.suite != suite_tag(self.suite) {
            return Err(format!("the proof is not of the {} suite", self.suite));
        }
        if native.form != NativeForm::Single {
            return Err(format!(
                "a proof of form {} where one is expected that stands alone",
                native.form as u8
            ));
        }
        let (vk, bytes) = (native.vks[0], native.proofs[0]);
        let key = self.key(&statement.circuit, vk)?;
        if vk != key.digest {
            return Err(format!(
                "the proof names verification key {}, this verifier has {}",
                hex::encode(&vk[..8]),
                hex::encode(&key.digest[..8])
            ));
        }
        let proof = Proof::deserialize_compressed(&bytes[..])
            .map_err(|error| format!("the proof is not three curve points: {error}"))?;
        verify_proof(&key, &proof, statement.public_input())
    }

    /// The circuit's key: the kept one if it is the one that is named, else
    /// what the store has now. A fleet that lost its key has another one.
    pub(super) fn key(
        &self,
        circuit: &Circuit,
        named: [u8; 32],
    ) -> Result<Arc<VerificationKey>, String> {
        let name = circuit.to_string();
        let mut kept = self.kept(circuit, &name);
        if let Some(key) = &kept.key
            && key.digest == named
        {
            return Ok(Arc::clone(key));
        }
        let bytes = self
            .store
            .verification_key(&kept.identity)
            .map_err(|error| error.to_string())?
            .ok_or_else(|| format!("there is no key for {name} yet"))?;
        let key = VerificationKey::parse(&bytes)
            .map_err(|error| format!("the verification key for {name} {error}"))?;
        let key = Arc::new(key);
        kept.key = Some(Arc::clone(&key));
        self.keys().insert(name, kept);
        Ok(key)
    }

    fn kept(&self, circuit: &Circuit, name: &str) -> Kept {
        // Held while the matrices are built: they take much memory, and all that
        // wait here want the same.
        let mut keys = self.keys();
        if let Some(kept) = keys.get(name) {
            return kept.clone();
        }
        let identity = Arc::new(identity(circuit));
        let kept = Kept {
            identity,
            key: None,
        };
        keys.insert(name.to_owned(), kept.clone());
        kept
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How keystores know a circuit. Builds its matrices.
pub(super) fn identity(circuit: &Circuit) -> CircuitIdentity {
    let matrices = circuit.matrices();
    CircuitIdentity {
        name: circuit.to_string(),
        matrices: hex::encode(matrices.digest()),
        rows: matrices.num_rows as u64,
    }
}

/// The pairing check, for the one public input.
pub(super) fn verify_proof(
    key: &VerificationKey,
    proof: &Proof<Bn254>,
    public_input: Fr,
) -> Result<(), String> {
    match Groth16::<Bn254>::verify_proof(&key.prepared, proof, &[public_input]) {
        Ok(true) => Ok(()),
        Ok(false) => Err("the proof does not verify for its published fields".to_owned()),
        Err(error) => Err(format!("the proof cannot be verified: {error}")),
    }
}

#[cfg(test)]
mod tests;
