//! Many at once, and again.

use std::{collections::HashMap, time::Duration};

use zkwhirl_job::JobId;

use crate::stage::Fleet;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_claims_at_once_are_proved_in_the_order_of_their_arrival() {
    let fleet = Fleet::start(1000).await;
    let _bridge = fleet.bridge("bridge");
    let _worker = fleet.worker("one", 0);
    fleet.until_settled().await;
    fleet.no_ticket_was_issued_more_often_than(1);
    let events = fleet.events().await;
    let order = |what: &str| -> Vec<JobId> {
        let those = events.iter().filter(|(said, _)| said == what);
        those.map(|(_, job)| *job).collect()
    };
    let taken = order("taken");
    assert_eq!(
        taken.len(),
        1004,
        "claims, two inner rollups, root, verifier"
    );
    assert!(taken == order("claimed"), "claimed in another order");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_falafel_that_restarts_near_the_end_gets_finished_proofs_at_once() {
    let claims = 20;
    let fleet = Fleet::start(claims).await;
    let _bridge = fleet.bridge("bridge");
    let _worker = fleet.worker("one", 200);
    let nearly_all = claims as u64 * 9 / 10;
    fleet.until_verified(nearly_all).await;
    fleet
        .falafel
        .restart(Duration::from_millis(500))
        .await
        .unwrap();
    fleet.until_settled().await;
    let mut claimed: HashMap<JobId, u32> = HashMap::new();
    for (what, job) in fleet.events().await {
        if what == "claimed" {
            *claimed.entry(job).or_default() += 1;
        }
    }
    assert_eq!(claimed.len(), claims + 4);
    let again: u32 = claimed.values().map(|times| times - 1).sum();
    // The one that was being proved may have been given up and begun again.
    assert!(again <= 1, "{again} jobs were proved again");
    assert_eq!(fleet.falafel.stats().nacks, 0);
}
