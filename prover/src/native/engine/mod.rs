//! The engine, which turns a request into a verified reply.

mod client;
mod error;
pub(super) mod groth16;
mod keys;
mod rivals;
mod self_test;
#[cfg(feature = "test-util")]
pub mod stock;

use std::{collections::HashMap, sync::Arc, time::Duration};

use ark_bn254::Fr;
use ark_serialize::CanonicalSerialize;
use ark_std::UniformRand;
use bytes::Bytes;
use rand::rngs::OsRng;
use tokio::time::Instant;
use zkwhirl_circuits::{Circuit, Witness};
use zkwhirl_job::{Request, Word, request::RootVerifierRequest};
use zkwhirl_keystore::{KeyStore, Provenance};

use super::{
    keys::NativeKey,
    reply::{
        BatchEntry, CheckedStatement, NativeVerifier, StatementPart, published_fields, verify_batch,
    },
    setting::Setting,
};
use crate::{Phase, Progress};

pub use client::client_vk;
pub use error::EngineError;
pub use rivals::{Lap, Rival, Rivals};
pub use self_test::self_test_request;

/// The native prover of one process.
#[derive(Debug)]
pub struct Engine {
    config: EngineConfig,
    store: Arc<dyn KeyStore>,
    keys: HashMap<Circuit, Arc<NativeKey>>,
    /// Verifies the proofs inside requests, without their proving keys.
    verifier: NativeVerifier,
}

/// Which circuits an engine proves, and how it handles keys.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// The suite, the sizes and the limit of circuits.
    pub setting: Setting,
    /// The provenance of the keys that this engine makes.
    pub provenance: Provenance,
    /// Whether the engine may use development keys.
    pub allow_dev_keys: bool,
    /// `LAZY_INIT`: the engine loads or makes a key when a request first needs it,
    /// and not in [`Engine::start`].
    pub lazy_init: bool,
    /// `PERSIST`: the engine keeps the key files. If false, it removes each file
    /// after mapping it; no other process may use the same store.
    pub persist: bool,
}

/// A verified reply with the number of its proofs and the time that they took.
#[derive(Debug, Clone, Default)]
pub struct ProofReceipt {
    /// The reply for Falafel.
    pub reply: Bytes,
    /// The published fields that the reply starts with, in the original reply's
    /// order, 32 bytes each.
    pub fields: Vec<Word>,
    /// The number of rows (constraints) of all new proofs.
    pub rows: usize,
    /// The number of new proofs; 0 for a root verifier, which only verifies.
    pub proofs: usize,
    /// The number of verified proofs that the reply takes over from the request.
    pub carried_proofs: usize,
    /// The time for witnesses and proofs, or for the verification, without the
    /// time for loading or making keys.
    pub proving: Duration,
    /// The provenance of the last proving key, if a proof was made.
    pub provenance: Option<Provenance>,
}

impl EngineConfig {
    /// A configuration in which keys are loaded on demand and their files are kept.
    /// Development keys are allowed exactly if `provenance` is that of such a key.
    pub fn new(setting: Setting, provenance: Provenance) -> Self {
        Self {
            setting,
            allow_dev_keys: provenance.is_insecure(),
            provenance,
            lazy_init: true,
            persist: true,
        }
    }
}

impl Engine {
    /// An engine with the keys of `store`, of which no key is loaded yet.
    pub fn new(config: EngineConfig, store: impl Into<Arc<dyn KeyStore>>) -> Self {
        let store = store.into();
        Self {
            verifier: NativeVerifier::new(config.setting.clone(), Arc::clone(&store)),
            config,
            store,
            keys: HashMap::new(),
        }
    }

    /// The suite, the sizes and the circuits of the engine's proofs.
    pub fn setting(&self) -> &Setting {
        &self.config.setting
    }

    /// Verifies the proofs that a request carries, then makes the proofs that the
    /// setting requires for the request, and verifies each new proof. For a root
    /// verifier's request no proof is made: the rollup in the request is verified
    /// from its bytes alone, and returned as the reply.
    ///
    /// The progress in [`Phase::Prove`] is the progress of all proofs together.
    pub fn prove(
        &mut self,
        request: &Request,
        report: &(dyn Fn(Progress) + Sync),
    ) -> Result<ProofReceipt, EngineError> {
        if let Request::RootVerifier(root) = request {
            return self.verify_root(request, root, report);
        }
        let statement = CheckedStatement::of(request, self.setting())?;
        self.prove_statement(statement, report)
    }

    /// Proves a statement whose rules were all checked.
    fn prove_statement(
        &mut self,
        statement: CheckedStatement,
        report: &(dyn Fn(Progress) + Sync),
    ) -> Result<ProofReceipt, EngineError> {
        self.verifier.verify_proofs(&statement.inside)?;
        let parts = statement.parts.len();
        let mut receipt = ProofReceipt {
            fields: statement.fields.clone(),
            proofs: parts,
            carried_proofs: statement.inside.len(),
            ..ProofReceipt::default()
        };
        let mut proofs = Vec::with_capacity(parts);
        for (at, part) in statement.parts.iter().enumerate() {
            let key = self.key(&part.circuit, report)?;
            let started = Instant::now();
            if at == 0 {
                report(Phase::Witness.at(0.0));
            }
            let proof = prove_part(part, &key, &|fraction| {
                report(Phase::Prove.at((at as f32 + fraction) / parts as f32));
            })?;
            receipt.proving += started.elapsed();
            receipt.rows += key.matrices.num_rows;
            receipt.provenance = Some(key.provenance.clone());
            proofs.push((key.verifying().digest, proof));
        }
        report(Phase::Verify.at(1.0));
        receipt.reply = statement.reply(self.setting(), proofs)?;
        Ok(receipt)
    }

    fn verify_root(
        &self,
        request: &Request,
        root: &RootVerifierRequest,
        report: &(dyn Fn(Progress) + Sync),
    ) -> Result<ProofReceipt, EngineError> {
        let setting = self.setting();
        let fields = published_fields(request, setting.suite, setting.sizes)?;
        let started = Instant::now();
        report(Phase::Verify.at(0.0));
        let reply = root.root_rollup_reply.clone();
        let rollup = self.verifier.verify_rollup(&reply)?;
        report(Phase::Verify.at(1.0));
        Ok(ProofReceipt {
            reply,
            fields,
            carried_proofs: rollup.proofs.len(),
            proving: started.elapsed(),
            ..ProofReceipt::default()
        })
    }

    /// Makes and verifies a proof of a true statement, to show that the key of a
    /// circuit can prove.
    pub fn try_key(
        &mut self,
        circuit: Circuit,
        witness: Witness,
        report: &(dyn Fn(Progress) + Sync),
    ) -> Result<(), EngineError> {
        let key = self.key(&circuit, report)?;
        let part = StatementPart::of_witness(circuit, witness)?;
        let step = |fraction| report(Phase::Prove.at(fraction));
        prove_part(&part, &key, &step).map(drop)
    }
}

/// Proves a part of a statement and verifies the proof.
fn prove_part(
    part: &StatementPart,
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
    let entry = BatchEntry {
        key: key.verifying(),
        public_input: part.public_input,
        proof: &bytes,
    };
    verify_batch(&[entry]).map_err(|bad| failed(bad.problem))?;
    Ok(bytes)
}
