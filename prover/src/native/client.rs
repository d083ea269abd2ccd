//! Clients' proofs: made for a wallet, and verified before they are rolled up.

use ark_bn254::Fr;
use zkwhirl_circuits::{
    Circuit, StatementKind, Suite,
    client::{ClientWitness, client_digest, client_statement},
    field,
};
use zkwhirl_job::{
    Failure,
    reply::{NativeForm, NativeProof, SINGLE_TAIL_BYTES},
    request::{ClientProof, field::PROOF_ID},
};
use zkwhirl_keystore::{KeyError, KeyStore};

use super::{
    Engine, EngineError, NativeVerifier, Receipt, VerificationKey,
    batch::{Entry, verify_batch},
    engine::suite_tag,
    statement::{Statement, client_circuit},
    verify::identity,
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
        self.prove_statement(&Statement::of_client(client)?, report)
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

/// Accepts a client proof of the poseidon suite under the reply to a
/// verification key job; otherwise says why not.
pub fn verify_client(key: &[u8], client: &ClientProof) -> Result<(), String> {
    let key =
        VerificationKey::parse(key).map_err(|problem| format!("the verification key {problem}"))?;
    let read = Read::new(Suite::Poseidon, client)?;
    read.names(&key)?;
    verify_batch(&[read.entry(&key)]).map_err(|bad| bad.problem.to_owned())
}

/// A client proof that can be read: what is left is the pairing.
struct Read {
    circuit: Circuit,
    public_input: Fr,
    vk_digest: [u8; 32],
    proof: [u8; 128],
}

impl NativeVerifier {
    /// Accepts the client proofs of a tx rollup: each proves the statement of
    /// its tx's proof id for its 16 public inputs.
    ///
    /// In the pedersen suite clients prove with PLONK, which is not looked at;
    /// only native proofs are, those of claims.
    pub fn verify_clients(&self, txs: &[ClientProof]) -> Result<(), ClientError> {
        let mut read = Vec::with_capacity(txs.len());
        for (tx, client) in txs.iter().enumerate() {
            if self.suite() == Suite::Pedersen && client.tail.len() != SINGLE_TAIL_BYTES {
                continue;
            }
            let bad = |problem| BadClient { tx, problem };
            let client = Read::new(self.suite(), client).map_err(bad)?;
            let key = self
                .key(&client.circuit, client.vk_digest)
                .map_err(ClientError::Key)?;
            client.names(&key).map_err(bad)?;
            read.push((tx, client, key));
        }
        let entries: Vec<Entry<'_>> = read
            .iter()
            .map(|(_, client, key)| client.entry(key))
            .collect();
        verify_batch(&entries).map_err(|bad| {
            let problem = bad.problem.to_owned();
            let tx = read[bad.at].0;
            ClientError::Bad(BadClient { tx, problem })
        })
    }

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
    fn new(suite: Suite, client: &ClientProof) -> Result<Self, String> {
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
        let native = NativeProof::parse(&client.tail).map_err(|error| error.to_string())?;
        if native.suite != suite_tag(suite) {
            return Err(format!("it is not of the {suite} suite"));
        }
        match (native.form, &native.vks[..], &native.proofs[..]) {
            (NativeForm::Single, [vk_digest], [proof]) => Ok(Self {
                circuit: Circuit { suite, statement },
                public_input,
                vk_digest: *vk_digest,
                proof: *proof,
            }),
            _ => Err("it is not a single proof".to_owned()),
        }
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

    fn entry<'a>(&'a self, key: &'a VerificationKey) -> Entry<'a> {
        Entry {
            key,
            public_input: self.public_input,
            proof: &self.proof,
        }
    }
}

#[cfg(test)]
mod tests;
