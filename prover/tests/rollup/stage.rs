//! Rollups that were proved once and are looked at by many tests.

use std::{
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex, MutexGuard},
};

use bytes::Bytes;
use zkwhirl_circuits::Suite;
use zkwhirl_job::{
    Request, Sizes,
    request::{RootRollupRequest, RootVerifierRequest},
};
use zkwhirl_keystore::{EmbeddedKeyStore, Provenance};
use zkwhirl_prover::native::{Engine, EngineConfig, NativeVerifier};

use crate::world::{World, claim};

pub(crate) const SUITE: Suite = Suite::Poseidon;

/// Keys of all tests, made by the first that needs each and kept between runs.
fn keys() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("rollup-keys")
}

/// A rollup of one tx, a claim whose proof it carries, in one inner rollup.
pub(crate) static ONE: LazyLock<Stage> = LazyLock::new(|| {
    let mut stage = Stage::new(Sizes::new(1, 1).unwrap());
    let claim = stage.claim();
    stage.roll_up(vec![vec![claim]]);
    stage
});

/// A full inner rollup of a claim and a payment, and one of a payment alone.
pub(crate) static TWO: LazyLock<Stage> = LazyLock::new(|| {
    let mut stage = Stage::new(Sizes::new(2, 2).unwrap());
    let claim = stage.claim();
    let sends = [stage.world.send(), stage.world.send()];
    let [first, second] = sends;
    stage.roll_up(vec![vec![claim, first], vec![second]]);
    stage
});

/// Everything about one rollup.
pub(crate) struct Stage {
    pub(crate) sizes: Sizes,
    engine: Mutex<Engine>,
    pub(crate) world: World,
    /// The claim's request and reply.
    pub(crate) claim: (Request, Bytes),
    /// Requests and replies of the inner rollups.
    pub(crate) inners: Vec<(Request, Bytes)>,
    /// The root rollup's request.
    pub(crate) root: RootRollupRequest,
    /// Its reply.
    pub(crate) reply: Bytes,
}

impl Stage {
    fn new(sizes: Sizes) -> Self {
        let world = World::new(SUITE, sizes);
        Self {
            sizes,
            engine: Mutex::new(engine(sizes)),
            claim: (Request::Claim(Box::new(claim(SUITE))), Bytes::new()),
            inners: Vec::new(),
            root: world.root(Vec::new()),
            reply: Bytes::new(),
            world,
        }
    }

    /// Proves the claim; gives it as a tx.
    fn claim(&mut self) -> zkwhirl_job::request::ClientProof {
        let reply = self.prove(&self.claim.0);
        self.claim.1 = reply;
        self.world.claim_tx(&self.claim.1)
    }

    fn roll_up(&mut self, txs: Vec<Vec<zkwhirl_job::request::ClientProof>>) {
        for txs in txs {
            let request = self.world.inner(txs);
            let reply = self.prove(&request);
            self.inners.push((request, reply));
        }
        let replies = self.inners.iter().map(|(_, reply)| reply.clone());
        self.root = self.world.root(replies.collect());
        self.reply = self.prove(&Request::RootRollup(Box::new(self.root.clone())));
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

    /// The bridge's gate.
    pub(crate) fn verifier(&self) -> NativeVerifier {
        NativeVerifier::new(SUITE, self.sizes, EmbeddedKeyStore::new(&keys()))
    }

    /// The request to verify a root rollup's reply.
    pub(crate) fn verification(reply: &Bytes) -> Request {
        Request::RootVerifier(Box::new(RootVerifierRequest {
            root_rollup_reply: reply.clone(),
        }))
    }
}

fn engine(sizes: Sizes) -> Engine {
    Engine::new(EngineConfig {
        suite: SUITE,
        sizes,
        data_dir: keys(),
        max_circuit_size: 1 << 20,
        provenance: Provenance::DevSeeded { seed: 1 },
        allow_dev_keys: true,
    })
}
