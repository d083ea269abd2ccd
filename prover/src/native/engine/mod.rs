//! The engine: a request in, a verified reply out.

mod client;
mod estimate;
pub(super) mod groth16;
mod self_test;
#[cfg(feature = "test-util")]
pub mod stock;

use std::{
    collections::HashMap,
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ark_bn254::Fr;
use ark_serialize::CanonicalSerialize;
use ark_std::UniformRand;
use bytes::{BufMut, Bytes, BytesMut};
use rand::rngs::OsRng;
use tokio::time::Instant;
use zkwhirl_circuits::{Circuit, Suite, TooLarge, Witness};
use zkwhirl_job::{
    Failure, Request, Sizes, Word,
    reply::{BundleError, NativeProof},
    request::RootVerifierRequest,
};
use zkwhirl_keystore::{
    EmbeddedKeyStore, KeyProgress, KeyStore, KeyWriter, Provenance, ensure_usable,
};
use zkwhirl_telemetry::catalogue::keys::KEY_LOAD_SECONDS;

use super::{
    keys::{NativeKey, generate, identity},
    reply::{
        Entry, NativeVerifier, NotVerified, Part, Statement, StatementError,
        client_fields as clients, published_fields, verify_batch,
    },
    setting::{Setting, suite_tag},
};
use crate::{Phase, Progress};

pub use client::{client_vk, verify_client};
pub use groth16::SizeMismatch;
pub use self_test::self_test_request;

pub(super) use groth16::Queries;

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
    setting: Setting,
    store: Arc<dyn KeyStore>,
    keys: HashMap<Circuit, Arc<NativeKey>>,
    /// For the proofs inside requests, whose proving keys are not needed.
    verifier: NativeVerifier,
}

/// A verified reply and what it cost.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// The reply for Falafel.
    pub reply: Bytes,
    /// The words that the reply starts with, in the original reply's order.
    pub fields: Vec<Word>,
    /// Constraints that were proved.
    pub rows: usize,
    /// Proofs that were made; none for a root verifier, which verifies.
    pub proofs: usize,
    /// Proofs inside the request that the reply carries, all verified.
    pub carried_proofs: usize,
    /// How long witnesses and proofs took, or the verification; keys are not
    /// counted.
    pub proving: Duration,
    /// Where the secret numbers of the last key came from, if there was one.
    pub provenance: Option<Provenance>,
}

/// Why there is no verified reply.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The request cannot be proved: wrong sizes or a false statement.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The circuit is larger than allowed.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// A proof inside the request is not good, or cannot be checked.
    #[error(transparent)]
    Inside(#[from] NotVerified),
    /// The proofs inside the request are too many for one reply.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// There is no usable key.
    #[error(transparent)]
    Key(#[from] zkwhirl_keystore::KeyError),
    /// Key and circuit do not fit; a key that was checked cannot be so.
    #[error(transparent)]
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
            Self::Statement(StatementError::TooLarge(_))
            | Self::TooLarge(_)
            | Self::Inside(NotVerified::NoKey(_))
            | Self::Key(_) => Failure::infrastructure(reason),
            Self::Statement(_) | Self::Inside(NotVerified::Refused(_)) | Self::Bundle(_) => {
                Failure::invalid(reason)
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
        let setting = Setting::new(config.suite, config.sizes, config.max_circuit_size);
        Self {
            config,
            verifier: NativeVerifier::new(setting.clone(), Arc::clone(&store)),
            setting,
            store,
            keys: HashMap::new(),
        }
    }

    /// What this engine proves.
    pub fn config(&self) -> &EngineConfig {
        &self.config
    }

    /// What is proved, and in which circuits.
    pub fn setting(&self) -> &Setting {
        &self.setting
    }

    /// Gets ready: refuses circuits that are too large and, unless
    /// [`EngineConfig::lazy_init`] says later, loads or makes every key that is
    /// `wanted`. `report` hears of which circuit.
    pub fn start(
        &mut self,
        wanted: &dyn Fn(&Circuit) -> bool,
        report: &(dyn Fn(&Circuit, Progress) + Sync),
    ) -> Result<(), EngineError> {
        let circuits = self.setting.circuits()?;
        if self.config.lazy_init {
            return Ok(());
        }
        for circuit in circuits.into_iter().filter(|circuit| wanted(circuit)) {
            self.key(&circuit, &|progress| report(&circuit, progress))?;
        }
        Ok(())
    }

    /// The circuits whose keys are loaded, in no order.
    pub fn circuits(&self) -> impl Iterator<Item = &Circuit> {
        self.keys.keys()
    }

    /// The keys that are loaded, in no order.
    pub fn loaded(&self) -> impl Iterator<Item = &NativeKey> {
        self.keys.values().map(Arc::as_ref)
    }

    /// Proves a request, in as many proofs as the setting has for it, and
    /// verifies each of them; what the request carries is verified before. A
    /// root verifier's request is verified, completely and from nothing but its
    /// bytes, and is its own reply.
    ///
    /// Progress within [`Phase::Prove`] is that of all proofs together.
    pub fn prove(
        &mut self,
        request: &Request,
        report: &(dyn Fn(Progress) + Sync),
    ) -> Result<Receipt, EngineError> {
        if let Request::RootVerifier(root) = request {
            return self.verify_root(request, root, report);
        }
        self.prove_statement(Statement::of(request, &self.setting)?, report)
    }

    /// Proves a statement of which every rule was checked.
    pub(crate) fn prove_statement(
        &mut self,
        statement: Statement,
        report: &(dyn Fn(Progress) + Sync),
    ) -> Result<Receipt, EngineError> {
        let say = |phase, fraction| report(Progress { phase, fraction });
        self.verifier.claims(&statement.inside)?;
        let parts = statement.parts.len();
        let mut receipt = Receipt {
            reply: Bytes::new(),
            fields: statement.fields.clone(),
            rows: 0,
            proofs: parts,
            carried_proofs: statement.inside.len(),
            proving: Duration::ZERO,
            provenance: None,
        };
        let mut proofs = Vec::with_capacity(parts);
        for (at, part) in statement.parts.iter().enumerate() {
            let key = self.key(&part.circuit, report)?;
            let started = Instant::now();
            if at == 0 {
                say(Phase::Witness, 0.0);
            }
            let proof = prove_part(part, &key, &|fraction| {
                say(Phase::Prove, (at as f32 + fraction) / parts as f32);
            })?;
            receipt.proving += started.elapsed();
            receipt.rows += key.rows();
            receipt.provenance = Some(key.provenance().clone());
            proofs.push((key.verifying().digest, proof));
        }
        say(Phase::Verify, 1.0);
        receipt.reply = reply(&self.setting, statement, proofs)?;
        Ok(receipt)
    }

    fn verify_root(
        &self,
        request: &Request,
        root: &RootVerifierRequest,
        report: &(dyn Fn(Progress) + Sync),
    ) -> Result<Receipt, EngineError> {
        let say = |phase, fraction| report(Progress { phase, fraction });
        let (suite, sizes) = (self.config.suite, self.config.sizes);
        let fields = published_fields(request, suite, sizes)?;
        let started = Instant::now();
        say(Phase::Verify, 0.0);
        let reply = root.root_rollup_reply.clone();
        let rollup = self.verifier.verify_rollup(&reply)?;
        say(Phase::Verify, 1.0);
        Ok(Receipt {
            reply,
            fields,
            rows: 0,
            proofs: 0,
            carried_proofs: rollup.proofs.len(),
            proving: started.elapsed(),
            provenance: None,
        })
    }

    /// Makes and verifies a proof of true values, for nothing but to see that
    /// a circuit's key can.
    pub fn try_key(
        &mut self,
        circuit: Circuit,
        witness: Witness,
        report: &(dyn Fn(Progress) + Sync),
    ) -> Result<(), EngineError> {
        let key = self.key(&circuit, report)?;
        let part = Part::of_values(circuit, witness)?;
        prove_part(&part, &key, &|fraction| {
            report(Progress {
                phase: Phase::Prove,
                fraction,
            });
        })?;
        Ok(())
    }

    /// The key of a circuit: the loaded one, else the stored one, else a new
    /// one.
    pub fn key(
        &mut self,
        circuit: &Circuit,
        report: &(dyn Fn(Progress) + Sync),
    ) -> Result<Arc<NativeKey>, EngineError> {
        if let Some(key) = self.keys.get(circuit) {
            return Ok(Arc::clone(key));
        }
        self.setting.admit(*circuit)?;
        report(Progress {
            phase: Phase::Key,
            fraction: 0.0,
        });
        let started = Instant::now();
        let fetched = AtomicBool::new(false);
        let matrices = circuit.matrices();
        let rows = matrices.num_rows;
        let identity = identity(circuit, &matrices);
        let provenance = &self.config.provenance;
        let mut generate = |writer: &mut KeyWriter| {
            let advance = writer.advance();
            let report = |progress: Progress| {
                advance.to(progress.fraction);
                report(progress);
            };
            estimate::while_running(rows, &report, || {
                generate(writer, &matrices, provenance, &identity)
            })
        };
        let made =
            self.store
                .find_or_generate(&identity, provenance, &mut generate, &|progress| {
                    let now = matches!(progress, KeyProgress::Fetching { .. });
                    fetched.fetch_or(now, Ordering::Relaxed);
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
        self.keys.insert(*circuit, Arc::clone(&key));
        let source = match (made.fresh, fetched.into_inner()) {
            (true, _) => "made",
            (false, true) => "fleet",
            (false, false) => "disk",
        };
        KEY_LOAD_SECONDS.record([source], started.elapsed());
        Ok(key)
    }
}

/// Proves a part and verifies its proof.
fn prove_part(
    part: &Part,
    key: &NativeKey,
    step: &(dyn Fn(f32) + Sync),
) -> Result<[u8; 128], EngineError> {
    let assignment = part.assign()?;
    step(0.0);
    let rng = &mut OsRng;
    let blinding = [Fr::rand(rng), Fr::rand(rng)];
    let (queries, matrices) = (&key.queries, &key.matrices);
    let proof = groth16::prove(queries, matrices, &assignment, blinding, step)?;
    let failed = |problem: &str| EngineError::NotVerified(format!("{}: {problem}", part.name));
    let mut bytes = [0; 128];
    proof
        .serialize_compressed(&mut bytes[..])
        .map_err(|error| failed(&error.to_string()))?;
    let entry = Entry {
        key: key.verifying(),
        public_input: part.public_input,
        proof: &bytes,
    };
    verify_batch(&[entry]).map_err(|bad| failed(bad.problem))?;
    Ok(bytes)
}

/// The reply: the words that it starts with, then the new proofs and those
/// that the request carries.
fn reply(
    setting: &Setting,
    statement: Statement,
    mut own: Vec<([u8; 32], [u8; 128])>,
) -> Result<Bytes, BundleError> {
    let Statement {
        fields,
        form,
        words,
        carried,
        inners,
        ..
    } = statement;
    if let Some(inners) = inners {
        return inners.reply(setting, fields, own[0]);
    }
    let mut vks: Vec<[u8; 32]> = own.iter().map(|(vk, _)| *vk).collect();
    // Proofs of one circuit stand together.
    vks.dedup();
    vks.extend(clients::keys(&carried));
    own.extend(carried.iter().map(|client| (client.vk, client.proof)));
    let tail = NativeProof {
        suite: suite_tag(setting.suite()),
        form,
        vks,
        words,
        proofs: own.into_iter().map(|(_, proof)| proof).collect(),
    };
    let tail = tail.to_bytes();
    let mut out = BytesMut::with_capacity(32 * fields.len() + tail.len());
    fields.iter().for_each(|field| out.put_slice(&field.0));
    out.put_slice(&tail);
    Ok(out.freeze())
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
