//! Two rollups of a simulated world, proved once for all tests: one tx in one
//! circuit, and five txs in segments of two. Their first txs are claims, the
//! others are users'; all have proofs of their own.

#[path = "../../../../../tests/prover/rollup/wallets.rs"]
mod wallets;

use std::{
    path::PathBuf,
    sync::{Arc, LazyLock, Mutex},
};

use bytes::Bytes;
use zkwhirl_circuits::{Suite, field};
use zkwhirl_falafel::{
    users::{TxPool, TxReceiver},
    world::World,
};
use zkwhirl_job::{Request, Sizes, Word, reply::NativeProof};
use zkwhirl_keystore::{EmbeddedKeyStore, KeyStore, Provenance};

use wallets::Wallets;

use super::NativeVerifier;
use crate::{
    Phase,
    native::{Engine, EngineConfig, ProofReceipt, Setting, verify_client},
};

/// Two of the five txs fit a segment, and the one tx fits a circuit.
const MAX_CIRCUIT_SIZE: u64 = 1 << 19;

/// A world where the users' txs are a defi deposit, a send and a new account.
const SEED: u64 = 11;

pub(super) struct Fixture {
    pub(super) request: Request,
    /// What the world says that a reply publishes.
    pub(super) published: Vec<Word>,
    pub(super) receipt: ProofReceipt,
    pub(super) verifier: NativeVerifier,
    pub(super) engine: Mutex<Engine>,
    /// How far the proof was, step by step.
    pub(super) progress: Mutex<Vec<f32>>,
}

/// Five txs, two of them claims, in three segments.
pub(super) fn chain() -> &'static Fixture {
    static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| Fixture::new(5, 2));
    &FIXTURE
}

/// A claim alone.
pub(super) fn whole() -> &'static Fixture {
    static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| Fixture::new(1, 1));
    &FIXTURE
}

impl Fixture {
    fn new(txs: u32, claims: usize) -> Self {
        let (suite, sizes) = (Suite::Poseidon, Sizes::new(txs, 1).unwrap());
        let setting = Setting::new(suite, sizes, MAX_CIRCUIT_SIZE);
        let config = EngineConfig::new(setting.clone(), Provenance::DevSeeded { seed: 1 });
        let mut engine = Engine::new(config, store());
        let mut draft = World::genesis(suite, SEED, claims).begin(sizes);
        let replies: Vec<Bytes> = draft
            .claims(claims)
            .into_iter()
            .map(|job| {
                let request = Request::Claim(Box::new(job.request));
                engine.prove(&request, &|_| ()).unwrap().reply
            })
            .collect();
        let engine = Mutex::new(engine);
        let door = TxReceiver {
            proofs: &Wallets(&engine),
            keys: None,
            pool: &TxPool::default(),
        };
        let mut inners = draft.inners(txs as usize, &replies, &door).unwrap();
        let job = inners.remove(0);
        let request = Request::TxRollup(Box::new(job.request));
        let progress = Mutex::new(Vec::new());
        let receipt = engine.lock().unwrap().prove(&request, &|step| {
            if step.phase == Phase::Prove {
                progress.lock().unwrap().push(step.fraction);
            }
        });
        Self {
            request,
            published: job.published,
            receipt: receipt.unwrap(),
            verifier: NativeVerifier::new(setting, store()),
            engine,
            progress,
        }
    }

    pub(super) fn tail(&self) -> NativeProof {
        NativeProof::parse(&self.receipt.reply[32 * self.published.len()..]).unwrap()
    }

    pub(super) fn reply_with(&self, tail: &NativeProof) -> Bytes {
        let fields = &self.receipt.reply[..32 * self.published.len()];
        [fields, &tail.to_bytes()].concat().into()
    }
}

/// The keys that the rollups are proved with.
pub(super) fn store() -> Arc<dyn KeyStore> {
    EmbeddedKeyStore::new(&data_dir()).into()
}

/// Beside the build, so that keys are made once: `target/tmp/prover-keys`.
fn data_dir() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let target = program.ancestors().nth(3).unwrap();
    target.join("tmp/prover-keys")
}

/// The inputs hash of published txs.
pub(super) fn inputs_hash(words: &[Word]) -> Word {
    let fields: Vec<_> = words
        .iter()
        .map(|word| field::from_word(&word.0).unwrap())
        .collect();
    let hash = zkwhirl_circuits::published::inputs_hash(&fields);
    Word(field::to_word(&hash))
}
