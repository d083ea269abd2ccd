//! Provers for the tests.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use zkwhirl::cluster::{NativeProvers, Provers, Rollups, provenance};
use zkwhirl_circuits::Suite;
use zkwhirl_falafel::{
    users::{TxPool, TxReceiver},
    world::World,
};
use zkwhirl_job::{Request, Sizes, request::RootVerifierRequest};
use zkwhirl_keystore::{EmbeddedKeyStore, Provenance};
use zkwhirl_prover::native::{Engine, EngineConfig, Setting};

pub(crate) const MAX_CIRCUIT_SIZE: u64 = 1 << 21;

/// The folder of keys that all tests share. The first test that needs a key makes
/// it, even if two runs of the suite overlap.
pub(crate) fn data_dir() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("data")
}

fn rollups(suite: Suite, txs: u32, inners: u32) -> Rollups {
    let sizes = Sizes::new(txs, inners).unwrap();
    Rollups { suite, sizes }
}

/// The native engine for `txs` × `inners`, with the keys that all tests share.
pub(crate) fn native(suite: Suite, txs: u32, inners: u32) -> NativeProvers {
    NativeProvers {
        rollups: rollups(suite, txs, inners),
        program: env!("CARGO_BIN_EXE_zkwhirl").into(),
        data_dir: data_dir(),
        max_circuit_size: MAX_CIRCUIT_SIZE,
        allow_dev_keys: true,
        fleet: None,
        load_first: Vec::new(),
        memory_limit: None,
    }
}

/// The mock prover for `txs` × `inners`; a proof takes `work`.
pub(crate) fn proverless(suite: Suite, txs: u32, inners: u32, work: Duration) -> Provers {
    Provers::Proverless {
        rollups: rollups(suite, txs, inners),
        work,
    }
}

/// The poseidon suite's engine for `txs` × `inners` in this process, with the keys
/// that all tests share.
pub(crate) fn engine(txs: u32, inners: u32) -> Engine {
    engine_with(txs, inners, data_dir(), provenance(true))
}

/// The same engine with keys of another folder and provenance.
pub(crate) fn engine_with(
    txs: u32,
    inners: u32,
    data_dir: PathBuf,
    provenance: Provenance,
) -> Engine {
    let sizes = Sizes::new(txs, inners).unwrap();
    let setting = Setting::new(Suite::Poseidon, sizes, MAX_CIRCUIT_SIZE);
    let config = EngineConfig::new(setting, provenance);
    Engine::new(config, EmbeddedKeyStore::new(&data_dir))
}

/// The final buffer of a rollup of one inner rollup, with real proofs of `txs`
/// transactions: a claim, then users' transactions.
pub(crate) fn final_buffer(txs: u32) -> Bytes {
    let mut engine = engine(txs, 1);
    let users = Provers::Native(native(Suite::Poseidon, txs, 1)).users();
    let mut prove = |request: Request| engine.prove(&request, &|_| {}).unwrap().reply;
    let world = World::genesis(Suite::Poseidon, 7, 1);
    let mut draft = world.begin(Sizes::new(txs, 1).unwrap());
    let claim = draft.claims(1).remove(0).request;
    let claim = prove(Request::Claim(Box::new(claim)));
    let door = TxReceiver {
        proofs: &*users.unwrap(),
        keys: None,
        pool: &TxPool::default(),
    };
    let mut inners = draft.inners(txs as usize, &[claim], &door).unwrap();
    let inner = prove(Request::TxRollup(Box::new(inners.remove(0).request)));
    let root = draft.root(&[inner]).unwrap().request;
    let root_rollup_reply = prove(Request::RootRollup(Box::new(root)));
    let verification = RootVerifierRequest { root_rollup_reply };
    prove(Request::RootVerifier(Box::new(verification)))
}
