//! Clients' proofs: made for a wallet, and verified before they are rolled up.

use std::sync::Arc;

use ark_bn254::Fr;
use zkwhirl_circuits::{
    Circuit, StatementKind,
    client::{ClientWitness, client_digest, client_statement},
    field,
};
use zkwhirl_job::{
    Failure,
    reply::{NativeForm, NativeProof},
    request::{ClientProof, field::PROOF_ID},
};
use zkwhirl_keystore::{KeyError, KeyStore};

use super::{
    Engine, EngineError, NativeVerifier, Receipt, VerificationKey,
    batch::{Entry, verify_batch},
    engine::suite_tag,
    statement::{Statement, client_circuit},
    vks::identity,
};
use crate::Progress;

/// A tx whose client proof is not good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("tx {tx}: its client proof is refused: {problem}")]
pub struct BadClient {
    /// The tx's place in the request.
    pub tx: usize,
    /// What is wrong with its proof.
    pub problem: String,
}

/// Why client proofs are not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// One of them is bad.
    #[error(transparent)]
    Bad(#[from] BadClient),
    /// A verification key cannot be had here and now.
    #[error("{0}")]
    Key(String),
}

impl ClientError {
    /// What this means for a job with these clients.
    pub fn failure(&self) -> Failure {
        let reason = self.to_string();
        match self {
            Self::Bad(_) => Failure::invalid(reason),
            Self::Key(_) => Failure::infrastructure(reason),
        }
    }
}

impl Engine {
    /// Proves a client's own statement and verifies the proof.
    ///
    /// The receipt's reply is the client proof as a tx carries it: 16 words,
    /// then a tail of form [`NativeForm::Single`].
    pub fn prove_client(
        &mut self,
        client: &ClientWitness,
        report: &(dyn Fn(Progress) + Sync),
    ) -> Result<Receipt, EngineError> {
        self.prove_alone(&Statement::of_client(client)?, report)
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
    store.verification_key(&identity(&client_circuit(statement)))
}

/// A client proof that can be read: what is left is the pairing.
struct Read {
    circuit: Circuit,
    public_input: Fr,
    vk_digest: [u8; 32],
    proof: [u8; 128],
}

impl NativeVerifier {
    /// Accepts the client proofs of a tx rollup of this verifier's suite: each
    /// proves the statement of its tx's proof id for its 16 public inputs.
    pub fn verify_clients(&self, txs: &[ClientProof]) -> Result<(), ClientError> {
        let mut read = Vec::with_capacity(txs.len());
        for (tx, client) in txs.iter().enumerate() {
            let client = self
                .read_client(client)
                .map_err(|problem| BadClient { tx, problem })?;
            let key = self
                .key(&client.circuit, client.vk_digest)
                .map_err(ClientError::Key)?;
            named(&key, &client).map_err(|problem| BadClient { tx, problem })?;
            read.push((client, key));
        }
        let entries: Vec<Entry<'_>> = read
            .iter()
            .map(|(client, key)| Entry {
                key,
                public_input: client.public_input,
                proof: &client.proof,
            })
            .collect();
        verify_batch(&entries).map_err(|bad| {
            let problem = bad.problem.to_owned();
            ClientError::Bad(BadClient {
                tx: bad.at,
                problem,
            })
        })
    }

    fn read_client(&self, client: &ClientProof) -> Result<Read, String> {
        let words = client.public_inputs.iter().enumerate();
        let mut fields = [Fr::from(0u64); 16];
        for (place, word) in words {
            fields[place] = field::from_word(&word.0)
                .ok_or_else(|| format!("public input {place} is not a canonical field element"))?;
        }
        let statement = field::small(&fields[PROOF_ID]).and_then(client_statement);
        let (Some(statement), Some(public_input)) = (statement, client_digest(&fields)) else {
            let id = client.public_inputs[PROOF_ID];
            return Err(format!("no statement has the proof id {id}"));
        };
        let native = NativeProof::parse(&client.tail).map_err(|error| error.to_string())?;
        if native.suite != suite_tag(self.suite()) {
            return Err(format!("it is not of the {} suite", self.suite()));
        }
        match (native.form, &native.vks[..], &native.proofs[..]) {
            (NativeForm::Single, [vk_digest], [proof]) => Ok(Read {
                circuit: Circuit {
                    suite: self.suite(),
                    statement,
                },
                public_input,
                vk_digest: *vk_digest,
                proof: *proof,
            }),
            _ => Err("it is not a single proof".to_owned()),
        }
    }
}

/// Demands that a proof names the key that it is verified with.
fn named(key: &Arc<VerificationKey>, client: &Read) -> Result<(), String> {
    if key.digest == client.vk_digest {
        return Ok(());
    }
    Err(format!(
        "it names verification key {}, that of {} is {}",
        hex::encode(&client.vk_digest[..8]),
        client.circuit,
        hex::encode(&key.digest[..8])
    ))
}

#[cfg(test)]
mod tests;
