//! A rollup without faults.

use crate::stage::{Fleet, Wanted};

#[tokio::test(flavor = "multi_thread")]
async fn a_rollup_settles_and_the_roles_drain() {
    let fleet = Fleet::start(6).await;
    let bridge = fleet.bridge("bridge");
    let workers = ["one", "two", "three"].map(|name| fleet.worker(name, 10));
    fleet.until_settled().await;
    // Six claims, two inner rollups, the root rollup, its verifier.
    assert_eq!(fleet.falafel.progress().verified, 10);
    assert_eq!(fleet.falafel.progress().settled, 1);
    fleet.no_ticket_was_issued_more_often_than(1);
    for worker in workers {
        assert_eq!(worker.drain(), Some(0));
    }
    assert_eq!(bridge.drain(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn verification_keys_are_answered_from_the_keystore_without_a_worker() {
    let wanted = Wanted {
        vks: true,
        ..Wanted::default()
    };
    let fleet = wanted.start().await;
    fleet.import_client_vks();
    let bridge = fleet.bridge("bridge");
    fleet.until_verified(2).await;
    let _worker = fleet.worker("one", 10);
    fleet.until_settled().await;
    fleet.no_ticket_was_issued_more_often_than(1);
    assert_eq!(bridge.drain(), Some(0));
}
