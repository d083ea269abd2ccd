//! Everything is well.

use crate::stage::Fleet;

#[tokio::test(flavor = "multi_thread")]
async fn a_rollup_settles_and_the_roles_drain() {
    let fleet = Fleet::start(6).await;
    let bridge = fleet.bridge("bridge");
    let workers = ["one", "two", "three"].map(|name| fleet.worker(name, 10));
    fleet.until_settled().await;
    assert_eq!(fleet.falafel.progress().verified, 8);
    fleet.no_ticket_was_issued_more_often_than(1);
    for worker in workers {
        assert_eq!(worker.drain(), Some(0));
    }
    assert_eq!(bridge.drain(), Some(0));
}
