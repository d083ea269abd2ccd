//! Rollups that were proved once and are looked at by many tests.

use std::{
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex, MutexGuard},
};

use bytes::Bytes;
use zkwhirl_circuits::Suite;
use zkwhirl_falafel::{
    users::{TxPool, TxReceiver},
    world::World,
};
use zkwhirl_job::{
    Request, Sizes, Word,
    reply::NotVerified,
    request::{RootRollupRequest, RootVerifierRequest},
};
use zkwhirl_keystore::{EmbeddedKeyStore, Provenance};
use zkwhirl_prover::native::{Engine, EngineConfig, NativeVerifier, Setting};

use super::wallets::Wallets;

pub(crate) const SUITE: Suite = Suite::Poseidon;

/// Keys of all tests, made by the first that needs each and kept between runs.
pub(crate) fn keys() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("rollup-keys")
}

/// The smallest limit that circuits of one payment fit, and so do two of them
/// one after the other.
pub(crate) const LIMIT: u64 = 1 << 18;

/// A rollup of one tx, a claim whose proof it carries, in one inner rollup.
pub(crate) static ONE: LazyLock<Stage> =
    LazyLock::new(|| Stage::new(Sizes::new(1, 1).unwrap(), 7, 1));

/// A full inner rollup of a claim and a defi deposit, and one of a new account
/// alone; both are chains of segments.
pub(crate) static TWO: LazyLock<Stage> =
    LazyLock::new(|| Stage::new(Sizes::new(2, 2).unwrap(), TWO_SEED, 3));

/// A world whose second new transaction is a registration.
const TWO_SEED: u64 = 4;

/// Everything about one rollup.
pub(crate) struct Stage {
    pub(crate) sizes: Sizes,
    engine: Mutex<Engine>,
    /// The claim's request and reply.
    pub(crate) claim: (Request, Bytes),
    /// Requests and replies of the inner rollups.
    pub(crate) inners: Vec<(Request, Bytes)>,
    /// The root rollup's request.
    pub(crate) root: RootRollupRequest,
    /// Its reply.
    pub(crate) reply: Bytes,
    /// What the world says that the reply starts with.
    pub(crate) broadcast: Vec<Word>,
}

impl Stage {
    /// Rolls up a claim and `txs - 1` new transactions.
    fn new(sizes: Sizes, seed: u64, txs: usize) -> Self {
        let engine = Mutex::new(engine(SUITE, sizes, LIMIT));
        let prove = |request: &Request| {
            let mut engine = engine.lock().unwrap();
            engine.prove(request, &|_| {}).unwrap().reply
        };
        let mut draft = World::genesis(SUITE, seed, 1).begin(sizes);
        let claim = Request::Claim(Box::new(draft.claims(1).remove(0).request));
        let claimed = prove(&claim);
        let door = TxReceiver {
            proofs: &Wallets(&engine),
            keys: None,
            pool: &TxPool::default(),
        };
        let jobs = draft.inners(txs, std::slice::from_ref(&claimed), &door);
        let requests = jobs.unwrap().into_iter();
        let inners: Vec<(Request, Bytes)> = requests
            .map(|job| Request::TxRollup(Box::new(job.request)))
            .map(|request| {
                let reply = prove(&request);
                (request, reply)
            })
            .collect();
        let replies: Vec<Bytes> = inners.iter().map(|(_, reply)| reply.clone()).collect();
        let root = draft.root(&replies).unwrap();
        let reply = prove(&Request::RootRollup(Box::new(root.request.clone())));
        Self {
            sizes,
            engine,
            claim: (claim, claimed),
            inners,
            root: root.request,
            reply,
            broadcast: root.broadcast.words().to_vec(),
        }
    }

    pub(crate) fn engine(&self) -> MutexGuard<'_, Engine> {
        self.engine.lock().unwrap()
    }

    /// The reply to a request that can be proved.
    pub(crate) fn prove(&self, request: &Request) -> Bytes {
        self.engine().prove(request, &|_| {}).unwrap().reply
    }

    /// What the engine says of a request that cannot be proved.
    pub(crate) fn refusal(&self, request: &Request) -> String {
        let outcome = self.engine().prove(request, &|_| {});
        outcome.unwrap_err().to_string()
    }

    /// A verifier of another suite, or of other sizes, without keys.
    pub(crate) fn other_verifier(suite: Suite, sizes: Sizes) -> NativeVerifier {
        let nowhere = EmbeddedKeyStore::new("no-keys".as_ref());
        NativeVerifier::new(Setting::new(suite, sizes, LIMIT), nowhere)
    }

    /// The bridge's gate.
    pub(crate) fn verifier(&self) -> NativeVerifier {
        let setting = Setting::new(SUITE, self.sizes, LIMIT);
        NativeVerifier::new(setting, EmbeddedKeyStore::new(&keys()))
    }

    /// The request to verify a root rollup's reply.
    pub(crate) fn verification(reply: &Bytes) -> Request {
        Request::RootVerifier(Box::new(RootVerifierRequest {
            root_rollup_reply: reply.clone(),
        }))
    }
}

/// An engine with the keys of all tests.
pub(crate) fn engine(suite: Suite, sizes: Sizes, max_circuit_size: u64) -> Engine {
    let setting = Setting::new(suite, sizes, max_circuit_size);
    let config = EngineConfig::new(setting, Provenance::DevSeeded { seed: 1 });
    Engine::new(config, EmbeddedKeyStore::new(&keys()))
}

/// The reason of a refusal. A reply that cannot be checked is not refused.
#[track_caller]
pub(crate) fn refusal<T: std::fmt::Debug>(verified: Result<T, NotVerified>) -> String {
    match verified {
        Err(NotVerified::Refused { reason }) => reason,
        other => panic!("not refused: {other:?}"),
    }
}
