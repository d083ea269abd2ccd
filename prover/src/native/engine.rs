//! The engine: a request in, a verified reply out.

use std::{collections::HashMap, fs, path::PathBuf, sync::Arc, time::Duration};

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
    EmbeddedKeyStore, KeyProgress, KeyStore, KeyWriter, Provenance, ensure_usable,
};

use super::{NativeKey, SizeMismatch, groth16, key, statement::Statement, verify::verify_proof};
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
    /// `LAZY_INIT`: a key is loaded, or made, when the first request needs it,
    /// and not by [`Engine::start`].
    pub lazy_init: bool,
    /// `PERSIST`: key files stay. Else each is removed as soon as it is mapped;
    /// the store must be of this process alone.
    pub persist: bool,
}

/// The native prover of one process.
#[derive(Debug)]
pub struct Engine {
    config: EngineConfig,
    store: Arc<dyn KeyStore>,
    keys: HashMap<String, Arc<NativeKey>>,
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
        Self {
            config,
            store,
            keys: HashMap::new(),
        }
    }

    /// What this engine proves.
    pub fn config(&self) -> &EngineConfig {
        &self.config
    }

    /// The circuits of this engine's sizes, smallest first.
    pub fn circuits(&self) -> Vec<Circuit> {
        let txs = self.config.sizes.txs_per_inner();
        [StatementKind::Claim, StatementKind::TxRollup { txs }]
            .into_iter()
            .map(|statement| Circuit {
                suite: self.config.suite,
                statement,
            })
            .collect()
    }

    /// Gets ready: refuses circuits that are too large and, unless
    /// [`EngineConfig::lazy_init`] says later, loads or makes every key. `report`
    /// hears of which circuit.
    pub fn start(
        &mut self,
        report: &(dyn Fn(&Circuit, Progress) + Sync),
    ) -> Result<(), EngineError> {
        for circuit in self.circuits() {
            self.check_size(&circuit)?;
        }
        if self.config.lazy_init {
            return Ok(());
        }
        for circuit in self.circuits() {
            self.key(&circuit, &|progress| report(&circuit, progress))?;
        }
        Ok(())
    }

    /// The keys that are loaded, in no order.
    pub fn loaded(&self) -> impl Iterator<Item = &NativeKey> {
        self.keys.values().map(Arc::as_ref)
    }

    /// The circuit's rows, when its domain is not too large.
    fn check_size(&self, circuit: &Circuit) -> Result<usize, EngineError> {
        let rows: usize = circuit.rows().iter().map(|(_, rows)| rows).sum();
        // Two rows more: one for each public variable.
        let needs = (rows as u64 + 2).next_power_of_two();
        let limit = self.config.max_circuit_size;
        if needs <= limit {
            return Ok(rows);
        }
        Err(EngineError::TooLarge {
            circuit: circuit.to_string(),
            needs,
            limit,
        })
    }

    /// Proves a request and verifies the proof.
    pub fn prove(
        &mut self,
        request: &Request,
        report: &(dyn Fn(Progress) + Sync),
    ) -> Result<Receipt, EngineError> {
        let say = |phase, fraction| report(Progress { phase, fraction });
        let statement = Statement::of(request, self.config.suite, self.config.sizes)?;
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
        let native = NativeProof {
            suite: suite_tag(self.config.suite),
            vk_digest: key.verifying().digest,
            proofs: vec![bytes],
        };
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
        let rows = self.check_size(circuit)?;
        report(Progress {
            phase: Phase::Key,
            fraction: 0.0,
        });
        let matrices = circuit.matrices();
        let identity = key::identity(circuit, &matrices);
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
        if !self.config.persist {
            // The mapping stays. What is left of a file that cannot be removed
            // is whole, and in a folder that goes with the process.
            let _ = fs::remove_file(made.key.path());
        }
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
