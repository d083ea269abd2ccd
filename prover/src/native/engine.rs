//! The engine: a request in, a verified reply out.

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use ark_bn254::Fr;
use ark_serialize::CanonicalSerialize;
use ark_std::UniformRand;
use bytes::{BufMut, Bytes, BytesMut};
use rand::rngs::OsRng;
use tokio::time::Instant;
use zkwhirl_circuits::{Circuit, Suite, TooLarge};
use zkwhirl_job::{
    Failure, Request, Sizes, Word,
    reply::{NativeProof, SuiteTag},
};
use zkwhirl_keystore::{
    CircuitIdentity, EmbeddedKeyStore, KeyProgress, KeyStore, KeyWriter, Provenance, ensure_usable,
};

use super::{
    NativeKey, Setting, SizeMismatch, clients, groth16, key,
    statement::{Part, Statement, StatementError},
    verification_keys::{NotVerified, VerificationKeys, verify_proof},
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
    setting: Setting,
    store: Arc<dyn KeyStore>,
    keys: HashMap<Circuit, Arc<NativeKey>>,
    /// For the proofs of clients, whose proving keys are not needed.
    verification_keys: VerificationKeys,
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
    /// Proofs that were made.
    pub proofs: usize,
    /// Proofs of clients that the reply carries, all verified.
    pub client_proofs: usize,
    /// How long witnesses and proofs took; keys are not counted.
    pub proving: Duration,
    /// Where the secret numbers of the last key came from.
    pub provenance: Provenance,
}

/// Why there is no verified reply.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The request cannot be proved: wrong sizes or a false statement.
    #[error("{0}")]
    Statement(#[from] StatementError),
    /// The circuit is larger than allowed.
    #[error("{0}")]
    TooLarge(#[from] TooLarge),
    /// A client's proof is not good, or cannot be checked.
    #[error("{0}")]
    Client(NotVerified),
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
            Self::Statement(StatementError::TooLarge(_))
            | Self::TooLarge(_)
            | Self::Client(NotVerified::NoKey(_))
            | Self::Key(_) => Failure::infrastructure(reason),
            Self::Statement(_) | Self::Client(NotVerified::Refused(_)) => Failure::invalid(reason),
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
            setting,
            verification_keys: VerificationKeys::new(Arc::clone(&store)),
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

    /// Proves a request, in as many proofs as the setting has for it, and
    /// verifies each of them.
    ///
    /// Progress within [`Phase::Prove`] is that of all proofs together.
    pub fn prove(
        &mut self,
        request: &Request,
        report: &(dyn Fn(Progress) + Sync),
    ) -> Result<Receipt, EngineError> {
        let say = |phase, fraction| report(Progress { phase, fraction });
        let statement = Statement::of(request, &self.setting)?;
        self.check_clients(&statement)?;
        let parts = statement.parts.len();
        let mut receipt = Receipt {
            reply: Bytes::new(),
            fields: statement.fields(),
            rows: 0,
            proofs: parts,
            client_proofs: statement.carried.len(),
            proving: Duration::ZERO,
            provenance: self.config.provenance.clone(),
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
            receipt.provenance = key.provenance().clone();
            proofs.push((key.verifying().digest, proof));
        }
        say(Phase::Verify, 1.0);
        let tail = tail(self.config.suite, statement, proofs);
        receipt.reply = reply(&receipt.fields, &tail);
        Ok(receipt)
    }

    /// Verifies the clients' proofs that the reply will carry: one that is not
    /// good would make the whole reply worthless.
    fn check_clients(&self, statement: &Statement) -> Result<(), EngineError> {
        let suite = self.config.suite;
        for carried in &statement.carried {
            let digest = statement.client_digest(carried.tx);
            let claim = carried.claim(suite, digest).map_err(StatementError::from)?;
            let verified = self.verification_keys.verify(&claim);
            verified.map_err(EngineError::Client)?;
        }
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
        let matrices = circuit.matrices();
        let rows = matrices.num_rows;
        let identity = CircuitIdentity {
            name: circuit.to_string(),
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
        self.keys.insert(*circuit, Arc::clone(&key));
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
    let failed = |problem: String| EngineError::NotVerified(format!("{}: {problem}", part.name));
    verify_proof(key.verifying(), &proof, part.public_input).map_err(failed)?;
    let mut bytes = [0; 128];
    proof
        .serialize_compressed(&mut bytes[..])
        .map_err(|error| failed(error.to_string()))?;
    Ok(bytes)
}

/// What a reply carries beside its published fields.
fn tail(suite: Suite, statement: Statement, mut own: Vec<([u8; 32], [u8; 128])>) -> NativeProof {
    let Statement {
        form,
        words,
        carried,
        ..
    } = statement;
    let mut vks: Vec<[u8; 32]> = own.iter().map(|(vk, _)| *vk).collect();
    // Proofs of one circuit stand together.
    vks.dedup();
    vks.extend(clients::keys(&carried));
    own.extend(carried.iter().map(|client| (client.vk, client.proof)));
    NativeProof {
        suite: suite_tag(suite),
        form,
        vks,
        words,
        proofs: own.into_iter().map(|(_, proof)| proof).collect(),
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
