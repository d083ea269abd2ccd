//! The engine: a request in, a verified reply out.

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use ark_bn254::Fr;
use ark_serialize::CanonicalSerialize;
use ark_std::UniformRand;
use bytes::{BufMut, Bytes, BytesMut};
use rand::rngs::OsRng;
use tokio::time::Instant;
use zkwhirl_circuits::{Circuit, StatementKind, Suite};
use zkwhirl_job::{
    Failure, Request, Sizes, Word,
    reply::{NativeProof, SuiteTag},
};
use zkwhirl_keystore::{
    CircuitIdentity, EmbeddedKeyStore, KeyProgress, KeyStore, KeyWriter, Provenance, ensure_usable,
};

use super::{
    ClientError, NativeKey, NativeVerifier, SizeMismatch, groth16, key, statement::Statement,
    verify::verify_proof,
};
use crate::{Phase, Progress, native::statement::StatementError};

/// What an engine proves, and with which keys.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// The hashes of the statements.
    pub suite: Suite,
    /// The sizes that the circuits are made for.
    pub sizes: Sizes,
    /// Where keys are kept.
    pub data_dir: PathBuf,
    /// The largest domain that a circuit may need.
    pub max_circuit_size: u64,
    /// How a key that is missing is made.
    pub provenance: Provenance,
    /// Whether development keys may be used.
    pub allow_dev_keys: bool,
}

/// The native prover of one process.
#[derive(Debug)]
pub struct Engine {
    config: EngineConfig,
    store: Arc<dyn KeyStore>,
    keys: HashMap<String, Arc<NativeKey>>,
    /// Looks at the client proofs of tx rollups.
    verifier: NativeVerifier,
}

/// A verified reply and what it cost.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// The reply for Falafel.
    pub reply: Bytes,
    /// The published fields, in the original reply's order.
    pub fields: Vec<Word>,
    /// Constraints that were proved.
    pub rows: usize,
    /// How long the witness and the proof took; the key is not counted.
    pub proving: Duration,
    /// Where the key's secret numbers came from.
    pub provenance: Provenance,
}

/// Why there is no verified reply.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The request cannot be proved: wrong sizes or a false statement.
    #[error("{0}")]
    Statement(#[from] StatementError),
    /// A tx is covered by no good client proof.
    #[error("{0}")]
    Client(#[from] ClientError),
    /// The circuit is larger than allowed.
    #[error(
        "circuit {circuit} needs a domain of {needs}, MAX_CIRCUIT_SIZE is {limit}; \
         raise it or use fewer txs per inner rollup"
    )]
    TooLarge {
        /// The circuit.
        circuit: String,
        /// The domain that it needs.
        needs: u64,
        /// The limit.
        limit: u64,
    },
    /// There is no usable key.
    #[error("{0}")]
    Key(#[from] zkwhirl_keystore::KeyError),
    /// Key and circuit do not fit; a key that was checked cannot be so.
    #[error("{0}")]
    Size(#[from] SizeMismatch),
    /// The proof that was made does not verify: broken memory, or a bug.
    #[error("the proof that was made does not verify: {0}")]
    NotVerified(String),
}

impl EngineError {
    /// What this means for the job.
    pub fn failure(&self) -> Failure {
        let reason = self.to_string();
        match self {
            Self::Statement(_) => Failure::invalid(reason),
            Self::Client(error) => error.failure(),
            Self::TooLarge { .. } | Self::Key(_) => Failure::infrastructure(reason),
            Self::Size(_) | Self::NotVerified(_) => Failure::prover(reason),
        }
    }
}

impl Engine {
    /// An engine that has loaded no key yet, with the keys of its data directory.
    pub fn new(config: EngineConfig) -> Self {
        let store = EmbeddedKeyStore::new(&config.data_dir);
        Self::with_store(config, store.into())
    }

    /// An engine that has loaded no key yet, with the keys of `store`.
    pub fn with_store(config: EngineConfig, store: Arc<dyn KeyStore>) -> Self {
        let verifier = NativeVerifier::new(config.suite, config.sizes, Arc::clone(&store));
        Self {
            config,
            store,
            keys: HashMap::new(),
            verifier,
        }
    }

    /// What this engine proves.
    pub fn config(&self) -> &EngineConfig {
        &self.config
    }

    /// The circuits of this engine's sizes, smallest first.
    pub fn circuits(&self) -> Vec<Circuit> {
        let (suite, txs) = (self.config.suite, self.config.sizes.txs_per_inner());
        [
            StatementKind::Account,
            StatementKind::Claim,
            StatementKind::JoinSplit,
            StatementKind::TxRollup { txs },
        ]
        .into_iter()
        .filter(|statement| statement.exists_in(suite))
        .map(|statement| Circuit { suite, statement })
        .collect()
    }

    /// Proves a request and verifies the proof. Of a tx rollup, the client
    /// proofs are verified first.
    pub fn prove(
        &mut self,
        request: &Request,
        report: &(dyn Fn(Progress) + Sync),
    ) -> Result<Receipt, EngineError> {
        let statement = Statement::of(request, self.config.suite, self.config.sizes)?;
        if let Request::TxRollup(request) = request {
            self.verifier.verify_clients(&request.txs)?;
        }
        self.prove_statement(&statement, report)
    }

    /// Proves a statement of which every rule was checked.
    pub(super) fn prove_statement(
        &mut self,
        statement: &Statement,
        report: &(dyn Fn(Progress) + Sync),
    ) -> Result<Receipt, EngineError> {
        let say = |phase, fraction| report(Progress { phase, fraction });
        let key = self.key(&statement.circuit, report)?;
        let started = Instant::now();
        say(Phase::Witness, 0.0);
        let assignment = statement.assign()?;
        say(Phase::Prove, 0.0);
        let rng = &mut OsRng;
        let blinding = [Fr::rand(rng), Fr::rand(rng)];
        let proof = groth16::prove(
            &key.queries,
            &key.matrices,
            &assignment,
            blinding,
            &|fraction| say(Phase::Prove, fraction),
        )?;
        say(Phase::Verify, 0.0);
        verify_proof(key.verifying(), &proof, statement.public_input())
            .map_err(EngineError::NotVerified)?;
        say(Phase::Verify, 1.0);
        let mut bytes = [0; 128];
        proof
            .serialize_compressed(&mut bytes[..])
            .map_err(|error| EngineError::NotVerified(error.to_string()))?;
        let suite = suite_tag(self.config.suite);
        let native = NativeProof::single(suite, key.verifying().digest, bytes);
        let fields = statement.fields();
        Ok(Receipt {
            reply: reply(&fields, &native),
            fields,
            rows: key.rows(),
            proving: started.elapsed(),
            provenance: key.provenance().clone(),
        })
    }

    /// The key of a circuit: the loaded one, else the stored one, else a new
    /// one.
    pub fn key(
        &mut self,
        circuit: &Circuit,
        report: &(dyn Fn(Progress) + Sync),
    ) -> Result<Arc<NativeKey>, EngineError> {
        let name = circuit.to_string();
        if let Some(key) = self.keys.get(&name) {
            return Ok(Arc::clone(key));
        }
        let rows: usize = circuit.rows().iter().map(|(_, rows)| rows).sum();
        // Two rows more: one for each public variable.
        let needs = (rows as u64 + 2).next_power_of_two();
        if needs > self.config.max_circuit_size {
            return Err(EngineError::TooLarge {
                circuit: name,
                needs,
                limit: self.config.max_circuit_size,
            });
        }
        report(Progress {
            phase: Phase::Key,
            fraction: 0.0,
        });
        let matrices = circuit.matrices();
        let identity = CircuitIdentity {
            name: name.clone(),
            matrices: hex::encode(matrices.digest()),
            rows: rows as u64,
        };
        let provenance = &self.config.provenance;
        let mut generate = |writer: &mut KeyWriter| {
            let advance = writer.advance();
            let report = |progress: Progress| {
                advance.to(progress.fraction);
                report(progress);
            };
            super::progress::while_running(rows, &report, || {
                key::generate(writer, &matrices, provenance, &identity)
            })
        };
        let made =
            self.store
                .find_or_generate(&identity, provenance, &mut generate, &|progress| {
                    report(elsewhere(progress));
                })?;
        drop(matrices);
        ensure_usable(&made.key, self.config.allow_dev_keys)?;
        let key = Arc::new(NativeKey::load(&made.key)?);
        self.keys.insert(name, Arc::clone(&key));
        Ok(key)
    }
}

/// How far a key is that another process makes, or that comes from elsewhere.
fn elsewhere(progress: &KeyProgress) -> Progress {
    let fraction = match progress {
        KeyProgress::Waiting(generator) => generator.fraction,
        KeyProgress::Fetching { bytes, of } => *bytes as f32 / (*of).max(1) as f32,
    };
    let phase = Phase::Key;
    Progress { phase, fraction }
}

/// The suite's byte in a reply.
pub(super) fn suite_tag(suite: Suite) -> SuiteTag {
    match suite {
        Suite::Pedersen => SuiteTag::Pedersen,
        Suite::Poseidon => SuiteTag::Poseidon,
    }
}

/// Published fields, then the proof.
fn reply(fields: &[Word], proof: &NativeProof) -> Bytes {
    let proof = proof.to_bytes();
    let mut out = BytesMut::with_capacity(32 * fields.len() + proof.len());
    for field in fields {
        out.put_slice(&field.0);
    }
    out.put_slice(&proof);
    out.freeze()
}
