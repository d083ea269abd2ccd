//! The engine: a request in, a verified reply out.

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use ark_bn254::Fr;
use ark_serialize::CanonicalSerialize;
use ark_std::UniformRand;
use bytes::Bytes;
use rand::rngs::OsRng;
use tokio::time::Instant;
use zkwhirl_circuits::{Circuit, StatementKind, Suite};
use zkwhirl_job::{
    Failure, Request, Sizes, Word,
    reply::{BundleError, SuiteTag},
    request::RootVerifierRequest,
};
use zkwhirl_keystore::{
    CircuitIdentity, EmbeddedKeyStore, KeyProgress, KeyStore, KeyWriter, Provenance, ensure_usable,
};

use super::{
    NativeKey, NativeVerifier, SizeMismatch, VerifyError,
    batch::{Entry, verify_batch},
    groth16,
    inside::Inside,
    key,
    rollup::root_size,
    statement::{Statement, StatementError},
};
use crate::{Phase, Progress};

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
    verifier: NativeVerifier,
}

/// A verified reply and what it cost.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// The reply for Falafel.
    pub reply: Bytes,
    /// The words that the reply starts with, in the original reply's order.
    pub fields: Vec<Word>,
    /// Constraints that were proved; none for a root verifier, which verifies.
    pub rows: usize,
    /// How long the witness and the proof took, or the verification; the key is
    /// not counted.
    pub proving: Duration,
    /// Where the key's secret numbers came from, if a proof was made.
    pub provenance: Option<Provenance>,
}

/// Why there is no verified reply.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The request cannot be proved: wrong sizes or a false statement.
    #[error("{0}")]
    Statement(#[from] StatementError),
    /// A proof inside the request does not hold, or its key is missing.
    #[error("{0}")]
    Inside(#[from] VerifyError),
    /// The proofs of the request do not fit one reply.
    #[error("{0}")]
    Bundle(#[from] BundleError),
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
            Self::Statement(_) | Self::Inside(VerifyError::Reply(_)) | Self::Bundle(_) => {
                Failure::invalid(reason)
            }
            Self::TooLarge { .. } | Self::Key(_) | Self::Inside(VerifyError::Key(_)) => {
                Failure::infrastructure(reason)
            }
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

    /// The circuits of this engine's sizes.
    pub fn circuits(&self) -> Vec<Circuit> {
        let (suite, sizes) = (self.config.suite, self.config.sizes);
        let txs = sizes.txs_per_inner();
        let root = root_size(sizes).map(StatementKind::RootRollup);
        [
            StatementKind::Account,
            StatementKind::Claim,
            StatementKind::JoinSplit,
            StatementKind::TxRollup { txs },
        ]
        .into_iter()
        .chain(root)
        .filter(|statement| statement.exists_in(suite))
        .map(|statement| Circuit { suite, statement })
        .collect()
    }

    /// Proves a request and verifies the proof; what the request carries is
    /// verified before. A root verifier's request is verified, completely and
    /// from nothing but its bytes, and is its own reply.
    pub fn prove(
        &mut self,
        request: &Request,
        report: &(dyn Fn(Progress) + Sync),
    ) -> Result<Receipt, EngineError> {
        if let Request::RootVerifier(root) = request {
            return self.verify_root(request, root, report);
        }
        let (suite, sizes) = (self.config.suite, self.config.sizes);
        let statement = Statement::of(request, suite, sizes)?;
        let (inside, pieces) = Inside::of(request, suite, sizes).map_err(VerifyError::Reply)?;
        self.verifier.pieces(&pieces)?;
        let key = self.key(&statement.circuit, report)?;
        let started = Instant::now();
        let proof = prove_statement(&statement, &key, report)?;
        let fields = statement.words();
        let vk = key.verifying().digest;
        Ok(Receipt {
            reply: inside.reply((suite, sizes), fields.clone(), vk, proof)?,
            fields,
            rows: key.rows(),
            proving: started.elapsed(),
            provenance: Some(key.provenance().clone()),
        })
    }

    /// Proves a statement of which every rule was checked and that stands
    /// alone.
    pub(super) fn prove_alone(
        &mut self,
        statement: &Statement,
        report: &(dyn Fn(Progress) + Sync),
    ) -> Result<Receipt, EngineError> {
        let key = self.key(&statement.circuit, report)?;
        let started = Instant::now();
        let proof = prove_statement(statement, &key, report)?;
        let fields = statement.words();
        let vk = key.verifying().digest;
        let made_for = (self.config.suite, self.config.sizes);
        Ok(Receipt {
            reply: Inside::Nothing.reply(made_for, fields.clone(), vk, proof)?,
            fields,
            rows: key.rows(),
            proving: started.elapsed(),
            provenance: Some(key.provenance().clone()),
        })
    }

    fn verify_root(
        &self,
        request: &Request,
        root: &RootVerifierRequest,
        report: &(dyn Fn(Progress) + Sync),
    ) -> Result<Receipt, EngineError> {
        let say = |phase, fraction| report(Progress { phase, fraction });
        let fields = super::published_fields(request, self.config.suite, self.config.sizes)?;
        let started = Instant::now();
        say(Phase::Verify, 0.0);
        let reply = root.root_rollup_reply.clone();
        self.verifier.root_verifier(root, &reply)?;
        say(Phase::Verify, 1.0);
        Ok(Receipt {
            reply,
            fields,
            rows: 0,
            proving: started.elapsed(),
            provenance: None,
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

/// Makes the proof of a statement and verifies it.
fn prove_statement(
    statement: &Statement,
    key: &NativeKey,
    report: &(dyn Fn(Progress) + Sync),
) -> Result<[u8; 128], EngineError> {
    let say = |phase, fraction| report(Progress { phase, fraction });
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
    let mut bytes = [0; 128];
    proof
        .serialize_compressed(&mut bytes[..])
        .map_err(|error| EngineError::NotVerified(error.to_string()))?;
    let entry = Entry {
        key: key.verifying(),
        public_input: statement.public_input(),
        proof: &bytes,
    };
    verify_batch(&[entry]).map_err(|bad| EngineError::NotVerified(bad.problem.to_owned()))?;
    say(Phase::Verify, 1.0);
    Ok(bytes)
}
