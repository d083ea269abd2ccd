//! Clients' proofs: made for a wallet, and verified one by one where a
//! transaction comes in.

use ark_bn254::Fr;
use zkwhirl_circuits::{
    Circuit, StatementKind, Suite,
    client::{ClientWitness, client_digest, client_statement},
    field,
};
use zkwhirl_job::request::{ClientProof, field::PROOF_ID};
use zkwhirl_keystore::{KeyError, KeyStore};

use super::{Engine, EngineError, Receipt};
use crate::{
    Progress,
    native::{
        keys::{VerificationKey, identity},
        reply::{
            Entry, NativeVerifier, Statement, client_circuit, client_fields as clients,
            verify_batch,
        },
    },
};

impl Engine {
    /// Proves a client's own statement and verifies the proof.
    ///
    /// The receipt's reply is the client proof as a tx carries it: 16 words,
    /// then a tail of form [`NativeForm::Single`](zkwhirl_job::reply::NativeForm::Single).
    pub fn prove_client(
        &mut self,
        client: &ClientWitness,
        report: &(dyn Fn(Progress) + Sync),
    ) -> Result<Receipt, EngineError> {
        self.prove_statement(Statement::of_client(client)?, report)
    }

    /// The verification key of a client circuit, as a vk job is answered; the
    /// key is made when there is none.
    pub fn client_vk(
        &mut self,
        statement: StatementKind,
        report: &(dyn Fn(Progress) + Sync),
    ) -> Result<Vec<u8>, EngineError> {
        let key = self.key(&client_circuit(statement), report)?;
        Ok(key.verifying().to_bytes())
    }
}

/// The verification key of a client circuit when a store has one: the bytes
/// that a vk job is answered with.
pub fn client_vk(
    store: &dyn KeyStore,
    statement: StatementKind,
) -> Result<Option<Vec<u8>>, KeyError> {
    let circuit = client_circuit(statement);
    store.verification_key(&identity(&circuit, &circuit.matrices()))
}

/// Accepts a client proof of the poseidon suite under the reply to a
/// verification key job; otherwise says why not.
pub fn verify_client(key: &[u8], client: &ClientProof) -> Result<(), String> {
    let key =
        VerificationKey::parse(key).map_err(|problem| format!("the verification key {problem}"))?;
    let read = Read::new(client)?;
    read.names(&key)?;
    let entry = Entry {
        key: &key,
        public_input: read.public_input,
        proof: &read.proof,
    };
    verify_batch(&[entry]).map_err(|bad| bad.problem.to_owned())
}

/// A client proof that can be read: what is left is the pairing.
struct Read {
    circuit: Circuit,
    public_input: Fr,
    vk_digest: [u8; 32],
    proof: [u8; 128],
}

impl NativeVerifier {
    /// Accepts the reply to a verification key job of the poseidon suite: the
    /// key that the store has for the client circuit.
    pub fn verify_client_vk(&self, statement: StatementKind, reply: &[u8]) -> Result<(), String> {
        let circuit = client_circuit(statement);
        let digest = *blake3::hash(reply).as_bytes();
        if self.key(&circuit, digest)?.digest == digest {
            return Ok(());
        }
        Err(format!("it is not the verification key of {circuit}"))
    }
}

impl Read {
    fn new(client: &ClientProof) -> Result<Self, String> {
        let mut fields = [Fr::from(0u64); 16];
        for (place, word) in client.public_inputs.iter().enumerate() {
            fields[place] = field::from_word(&word.0)
                .ok_or_else(|| format!("public input {place} is not a canonical field element"))?;
        }
        let statement = field::small(&fields[PROOF_ID]).and_then(client_statement);
        let (Some(statement), Some(public_input)) = (statement, client_digest(&fields)) else {
            let id = client.public_inputs[PROOF_ID];
            return Err(format!("no statement has the proof id {id}"));
        };
        let (vk_digest, proof) = clients::single(Suite::Poseidon, &client.tail)?;
        Ok(Self {
            circuit: client_circuit(statement),
            public_input,
            vk_digest,
            proof,
        })
    }

    /// Demands that the proof names the key that it is verified with.
    fn names(&self, key: &VerificationKey) -> Result<(), String> {
        if key.digest == self.vk_digest {
            return Ok(());
        }
        Err(format!(
            "it names verification key {}, that of {} is {}",
            hex::encode(&self.vk_digest[..8]),
            self.circuit,
            hex::encode(&key.digest[..8])
        ))
    }
}

#[cfg(test)]
mod tests;
