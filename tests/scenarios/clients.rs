//! Clients of the poseidon suite: their keys come from vk jobs, their proofs are
//! verified when Falafel receives them and again before they are rolled up.

use bytes::Bytes;
use zkwhirl::cluster::{NativeProvers, Provers};
use zkwhirl_circuits::Suite;
use zkwhirl_falafel::{
    users::{ClientKeys, TxPool, TxReceiver},
    world::World,
};
use zkwhirl_job::{
    Failure, Kind, Request, Sizes,
    request::{TxRollupRequest, field::ALLOW_CHAIN},
};
use zkwhirl_ledger::{JobEvent, JobEventKind};
use zkwhirl_prover::native::Engine;

use crate::stage::{Scene, Stage, engine, import_client_vks, native, plan, said};

/// An inner rollup of one transaction that a user proved.
fn inner(engine: &mut Engine) -> TxRollupRequest {
    let mut key = |kind| {
        let statement = zkwhirl::cluster::client_statement(kind).unwrap();
        Bytes::from(engine.client_vk(statement, &|_| {}).unwrap())
    };
    let keys = ClientKeys {
        join_split: key(Kind::JoinSplitVk),
        account: key(Kind::AccountVk),
    };
    let users = Provers::Native(native(Suite::Poseidon, 1, 1)).users();
    let door = TxReceiver {
        proofs: &*users.unwrap(),
        keys: Some(&keys),
        pool: &TxPool::default(),
    };
    let world = World::genesis(Suite::Poseidon, 7, 0);
    let mut draft = world.begin(Sizes::new(1, 1).unwrap());
    draft.inners(1, &[], &door).unwrap().remove(0).request
}

#[test]
fn a_rollup_of_proved_clients_is_proved_and_a_bad_client_is_named() {
    let mut engine = engine(1, 1);
    let good = inner(&mut engine);
    // A transaction without a client proof.
    let mut marked = good.clone();
    marked.txs[0].tail = vec![0; 1504].into();
    // A true statement that differs from the client's: both outputs may be chained
    // from.
    let mut chained = good.clone();
    chained.txs[0].public_inputs[ALLOW_CHAIN] = 3.into();
    let mut prove = |inner| engine.prove(&Request::TxRollup(Box::new(inner)), &|_| {});
    prove(good).unwrap();
    for (bad, reason) in [
        (
            marked,
            "tx 0: client proof: no native proof follows the published fields \
             (it must start with \"zkW1\")",
        ),
        (
            chained,
            "client proof of tx 0: the proof does not verify for its published fields",
        ),
    ] {
        let failure = prove(bad).unwrap_err().failure();
        assert_eq!(failure, Failure::invalid(reason));
    }
}

/// A plan for a rollup with one user's transaction.
async fn stage(provers: NativeProvers) -> Stage {
    let plan = plan(provers.rollups.suite, provers.rollups.sizes, 0, 1);
    let scene = Scene {
        plan: Some(plan),
        ..Scene::of(Provers::Native(provers))
    };
    scene.start().await
}

/// Falafel gets both keys by vk jobs and accepts a transaction under them, whose
/// inner rollup is proved and verified.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_goes_the_whole_way_into_an_inner_rollup() {
    let stage = stage(native(Suite::Poseidon, 1, 1)).await;
    let delivered = |event: &JobEvent| matches!(event.what, JobEventKind::Delivered { .. });
    stage
        .until_kind(Kind::TxRollup, "is delivered", delivered)
        .await;
    assert!(stage.falafel.progress().refused.is_empty());
    stage.falafel_noticed_nothing();
    stage.end().await;
}

/// The native engine makes no keys of PLONK clients. The vk jobs wait, and their
/// failure names the missing key; after the import they are answered.
#[tokio::test(flavor = "multi_thread")]
async fn keys_of_plonk_clients_are_handed_on_once_they_are_imported() {
    let folder = tempfile::tempdir().unwrap();
    let stage = stage(NativeProvers {
        data_dir: folder.path().to_owned(),
        ..native(Suite::Pedersen, 1, 1)
    })
    .await;
    let missing = "the native engine has no client circuit of the pedersen suite for \
                   get-join-split-vk; import the key with zkwhirl keys import";
    stage
        .until(
            "the missing key is named",
            |event| matches!(&event.what, JobEventKind::Retrying { reason, .. } if reason == missing),
        )
        .await;
    said(&mut import_client_vks("pedersen", folder.path()));
    for kind in [Kind::JoinSplitVk, Kind::AccountVk] {
        let answered = |event: &JobEvent| {
            matches!(
                &event.what,
                JobEventKind::Proved { worker, reply_bytes: 1168, .. } if worker == "keystore"
            )
        };
        stage.until_kind(kind, "is answered", answered).await;
    }
    // The next job would be proved for minutes.
    stage.cluster.worker_stop.abort.cancel();
    stage.falafel_noticed_nothing();
    stage.end().await;
}
