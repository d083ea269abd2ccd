//! Rollups that are proved once and shared by many tests.

use std::{
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex, MutexGuard, OnceLock},
};

use bytes::Bytes;
use zkwhirl_circuits::{Suite, client::ClientWitness};
use zkwhirl_falafel::{
    users::{ClientProofs, TxError, TxPool, TxReceiver},
    world::{Draft, World},
};
use zkwhirl_job::{
    Request, Sizes, Word,
    reply::{NativeProof, NotVerified},
    request::{ClientProof, RootRollupRequest, RootVerifierRequest},
};
use zkwhirl_keystore::{EmbeddedKeyStore, Provenance};
use zkwhirl_prover::{
    Phase,
    native::{
        Engine, EngineConfig, NativeVerifier, ProofReceipt, Setting, read_tx_rollup, verify_client,
    },
};

pub(crate) const SUITE: Suite = Suite::Poseidon;

/// The smallest power of two that is a sufficient limit for the circuits of one tx,
/// and for chains of them.
pub(crate) const LIMIT: u64 = 1 << 18;

/// A rollup with one inner rollup of one tx, a claim with its client proof.
pub(crate) static ONE: LazyLock<ProvedRollup> =
    LazyLock::new(|| ProvedRollup::new(setting([1, 1], LIMIT), 7, [1, 1]));

/// A rollup with a full inner rollup, of a claim and a defi deposit, and an inner
/// rollup of one new account; both are chains of segments of one tx.
pub(crate) static TWO: LazyLock<ProvedRollup> =
    LazyLock::new(|| ProvedRollup::new(setting([2, 2], LIMIT), 4, [1, 3]));

/// A rollup with one inner rollup, of two claims, a defi deposit, a send and a new
/// account: a chain of three segments for up to two txs each.
pub(crate) static FIVE: LazyLock<ProvedRollup> =
    LazyLock::new(|| ProvedRollup::new(setting([5, 1], 1 << 19), 11, [2, 5]));

/// A proved rollup of a simulated world.
pub(crate) struct ProvedRollup {
    pub(crate) setting: Setting,
    engine: Mutex<Engine>,
    /// The verifier that the bridge's gate uses.
    pub(crate) verifier: NativeVerifier,
    /// The requests of the claims, and the replies.
    pub(crate) claims: Vec<(Request, Bytes)>,
    pub(crate) inners: Vec<ProvedInner>,
    draft: Draft,
    root: OnceLock<ProvedRoot>,
}

/// A proved inner rollup.
pub(crate) struct ProvedInner {
    pub(crate) request: Request,
    /// The words that the reply must publish, computed by the simulated world.
    pub(crate) published: Vec<Word>,
    pub(crate) receipt: ProofReceipt,
    /// The fractions that the engine reported, in order.
    pub(crate) progress: Vec<f32>,
}

/// A proved root rollup.
pub(crate) struct ProvedRoot {
    pub(crate) request: RootRollupRequest,
    pub(crate) reply: Bytes,
    /// The words with which the reply must start, computed by the simulated world.
    pub(crate) broadcast: Vec<Word>,
}

impl ProvedRollup {
    /// Proves inner rollups with `txs` txs in all, of which the first are `claims`.
    fn new(setting: Setting, seed: u64, [claims, txs]: [usize; 2]) -> Self {
        let engine = Mutex::new(engine(setting.clone()));
        let mut draft = World::genesis(SUITE, seed, claims).begin(setting.sizes);
        let claims: Vec<(Request, Bytes)> = draft
            .claims(claims)
            .into_iter()
            .map(|job| Request::Claim(Box::new(job.request)))
            .map(|request| {
                let receipt = engine.lock().unwrap().prove(&request, &|_| {});
                (request, receipt.unwrap().reply)
            })
            .collect();
        let replies: Vec<Bytes> = claims.iter().map(|(_, reply)| reply.clone()).collect();
        let door = TxReceiver {
            proofs: &EngineWallets(&engine),
            keys: None,
            pool: &TxPool::default(),
        };
        let jobs = draft.inners(txs, &replies, &door).unwrap().into_iter();
        let inners = jobs.map(|job| {
            let request = Request::TxRollup(Box::new(job.request));
            let progress = Mutex::new(Vec::new());
            let receipt = engine.lock().unwrap().prove(&request, &|step| {
                if step.phase == Phase::Prove {
                    progress.lock().unwrap().push(step.fraction);
                }
            });
            ProvedInner {
                request,
                published: job.published,
                receipt: receipt.unwrap(),
                progress: progress.into_inner().unwrap(),
            }
        });
        Self {
            inners: inners.collect(),
            verifier: NativeVerifier::new(setting.clone(), EmbeddedKeyStore::new(&keys())),
            setting,
            engine,
            claims,
            draft,
            root: OnceLock::new(),
        }
    }

    /// The root rollup, proved at the first call.
    pub(crate) fn root(&self) -> &ProvedRoot {
        self.root.get_or_init(|| {
            let replies = self.inners.iter().map(|inner| inner.receipt.reply.clone());
            let job = self.draft.root(&replies.collect::<Vec<_>>()).unwrap();
            ProvedRoot {
                reply: self.prove(&Request::RootRollup(Box::new(job.request.clone()))),
                request: job.request,
                broadcast: job.broadcast.words().to_vec(),
            }
        })
    }

    /// The txs of all inner rollups.
    pub(crate) fn txs(&self) -> Vec<ClientProof> {
        let txs = self.inners.iter().map(|inner| match &inner.request {
            Request::TxRollup(request) => request.txs.clone(),
            _ => unreachable!("inner rollups are tx rollups"),
        });
        txs.flatten().collect()
    }

    pub(crate) fn engine(&self) -> MutexGuard<'_, Engine> {
        self.engine.lock().unwrap()
    }

    /// Proves a request and returns the reply.
    pub(crate) fn prove(&self, request: &Request) -> Bytes {
        self.engine().prove(request, &|_| {}).unwrap().reply
    }
}

impl ProvedInner {
    pub(crate) fn tail(&self) -> NativeProof {
        NativeProof::parse(&self.receipt.reply[32 * self.published.len()..]).unwrap()
    }

    /// The reply with its tail replaced by `tail`.
    pub(crate) fn with(&self, tail: &NativeProof) -> Bytes {
        let fields = &self.receipt.reply[..32 * self.published.len()];
        [fields, &tail.to_bytes()].concat().into()
    }

    /// The names of the reply's proofs.
    pub(crate) fn names(&self, setting: &Setting) -> Vec<String> {
        let proofs = read_tx_rollup(setting, &self.published, &self.tail()).unwrap();
        proofs.into_iter().map(|proof| proof.name).collect()
    }
}

/// Users who prove their transactions with one engine.
#[derive(Debug)]
struct EngineWallets<'a>(&'a Mutex<Engine>);

impl ClientProofs for EngineWallets<'_> {
    fn prove(&self, witness: &ClientWitness) -> Result<ClientProof, TxError> {
        let mut engine = self.0.lock().unwrap();
        let receipt = engine.prove_client(witness, &|_| {});
        let receipt = receipt.map_err(|error| TxError::Unproved(error.to_string()))?;
        Ok(client_proof(&receipt.reply))
    }

    fn verify(&self, key: &Bytes, proof: &ClientProof) -> Result<(), NotVerified> {
        verify_client(key, proof)
    }
}

/// Reads a reply as a client proof: 16 fields of 32 bytes, then a tail.
pub(crate) fn client_proof(reply: &Bytes) -> ClientProof {
    let (words, _) = reply.as_chunks::<32>();
    ClientProof {
        public_inputs: std::array::from_fn(|place| Word(words[place])),
        tail: reply.slice(16 * 32..),
    }
}

/// The root verifier's request for a root rollup's reply.
pub(crate) fn verification(reply: &Bytes) -> Request {
    Request::RootVerifier(Box::new(RootVerifierRequest {
        root_rollup_reply: reply.clone(),
    }))
}

/// The setting of rollups with `txs` per inner rollup and `inners` per root rollup.
pub(crate) fn setting([txs, inners]: [u32; 2], limit: u64) -> Setting {
    Setting::new(SUITE, Sizes::new(txs, inners).unwrap(), limit)
}

/// An engine with the keys that all tests share.
pub(crate) fn engine(setting: Setting) -> Engine {
    let config = EngineConfig::new(setting, Provenance::DevSeeded { seed: 1 });
    Engine::new(config, EmbeddedKeyStore::new(&keys()))
}

/// The directory of the keys, each made by the first test that needs it, and kept.
pub(crate) fn keys() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("rollup-keys")
}

/// A verifier whose keystore has no keys.
pub(crate) fn keyless(suite: Suite, sizes: Sizes, limit: u64) -> NativeVerifier {
    let nowhere = EmbeddedKeyStore::new("no-keys".as_ref());
    NativeVerifier::new(Setting::new(suite, sizes, limit), nowhere)
}

/// The reason of a refusal; panics on success and on a reply that cannot be checked.
#[track_caller]
pub(crate) fn refusal<T: std::fmt::Debug>(verified: Result<T, NotVerified>) -> String {
    match verified {
        Err(NotVerified::Refused { reason }) => reason,
        other => panic!("not refused: {other:?}"),
    }
}
