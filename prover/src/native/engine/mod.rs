//! The engine: from a request to a verified reply.

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
    /// Verifies the proofs inside requests, whose proving keys are not needed.
    verifier: NativeVerifier,
}

/// The circuits and the keys of an engine.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// The suite, the sizes and the largest circuit.
    pub setting: Setting,
    /// The provenance of a key that is missing and has to be made.
    pub provenance: Provenance,
    /// Whether development keys may be used.
    pub allow_dev_keys: bool,
    /// `LAZY_INIT`: a key is loaded, or made, when the first request needs it,
    /// and not by [`Engine::start`].
    pub lazy_init: bool,
    /// `PERSIST`: key files stay. If false, each file is removed as soon as it
    /// is mapped; no other process may use the same store.
    pub persist: bool,
}

/// A verified reply and its costs.
#[derive(Debug, Clone, Default)]
pub struct ProofReceipt {
    /// The reply for Falafel.
    pub reply: Bytes,
    /// The published fields that the reply starts with, in the original reply's
    /// order, 32 bytes each.
    pub fields: Vec<Word>,
    /// Constraints that were proved.
    pub rows: usize,
    /// Proofs that were made; 0 for a root verifier, which verifies.
    pub proofs: usize,
    /// Proofs inside the request that the reply carries, all verified.
    pub carried_proofs: usize,
    /// Time for witnesses and proofs, or for the verification. Loading or
    /// making keys is not counted.
    pub proving: Duration,
    /// The provenance of the last key, if the reply needed one.
    pub provenance: Option<Provenance>,
}

impl EngineConfig {
    /// Keys are loaded when they are needed, and their files stay. Development
    /// keys are allowed exactly if missing keys are made as development keys.
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
    /// An engine that has loaded no key yet, with the keys of `store`.
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

    /// Proves a request, in as many proofs as the setting has for it, and
    /// verifies each of them. The proofs that the request carries are verified
    /// first. A root verifier's request is verified completely from its bytes
    /// alone, and is its own reply.
    ///
    /// Progress within [`Phase::Prove`] is that of all proofs together.
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

    /// Proves a statement whose every rule was checked.
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

    /// Makes and verifies a proof of true values, to show that the key of a
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

/// Proves a part and verifies its proof.
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
