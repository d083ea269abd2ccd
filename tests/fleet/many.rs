//! Many at once, and again.

use std::time::Duration;

use crate::{
    figures::{claims, idle_while_jobs_wait, order, percentile, say},
    stage::Fleet,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_claims_at_once_are_proved_in_the_order_of_their_arrival() {
    let fleet = Fleet::start(1000).await;
    let _bridge = fleet.bridge("bridge");
    let _worker = fleet.worker("one", 0);
    fleet.until_settled().await;
    fleet.no_ticket_was_issued_more_often_than(1);
    let events = fleet.events().await;
    let taken = order(&events, "taken");
    assert_eq!(
        taken.len(),
        1004,
        "claims, two inner rollups, root, verifier"
    );
    let claimed = order(&events, "claimed");
    let differ = taken.iter().zip(&claimed).position(|(a, b)| a != b);
    assert_eq!((claimed.len(), differ), (1004, None), "in another order");
    fleet.say_leases("1,000 claims, one worker");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_worker_idles_while_jobs_wait() {
    let fleet = Fleet::start(1000).await;
    let _bridge = fleet.bridge("bridge");
    let workers = ["one", "two", "three", "four"];
    let _roles = workers.map(|name| fleet.worker(name, 50));
    fleet.until_settled().await;
    fleet.no_ticket_was_issued_more_often_than(1);
    let events = fleet.events().await;
    let (taken, claimed) = (order(&events, "taken"), order(&events, "claimed"));
    // Two that claim at once may say so in either order, each job only once.
    assert_eq!(taken.len(), claimed.len());
    let overtaken = taken.iter().enumerate().map(|(place, job)| {
        let claimed = claimed.iter().position(|claimed| claimed == job);
        claimed.unwrap().abs_diff(place)
    });
    assert!(overtaken.max() < Some(2 * workers.len()));
    let idle = idle_while_jobs_wait(&events);
    let all: Duration = idle.iter().sum();
    let [middle, high] = [50, 99].map(|percent| percentile(&idle, percent));
    let most = idle.last().copied().unwrap_or_default();
    say(format_args!(
        "1,000 claims of 50 ms, 4 workers: idle while jobs wait {all:?} in {} claims, \
         p50 {middle:?}, p99 {high:?}, most {most:?}",
        idle.len()
    ));
    // A worker that is forgotten would idle until the queue is empty.
    assert!(idle.len() > 500, "{} claims", idle.len());
    assert!(most < Duration::from_secs(5), "{most:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_falafel_that_restarts_near_the_end_gets_finished_proofs_at_once() {
    let count = 20;
    let fleet = Fleet::start(count).await;
    let _bridge = fleet.bridge("bridge");
    let _worker = fleet.worker("one", 200);
    let nearly_all = count as u64 * 9 / 10;
    fleet.until_verified(nearly_all).await;
    fleet
        .falafel
        .restart(Duration::from_millis(500))
        .await
        .unwrap();
    fleet.until_settled().await;
    let claimed = claims(&fleet.events().await);
    assert_eq!(claimed.len(), count + 4);
    let again: u32 = claimed.values().map(|times| times - 1).sum();
    // The one that was being proved may have been given up and begun again.
    assert!(again <= 1, "{again} jobs were proved again");
    assert_eq!(fleet.falafel.stats().nacks, 0);
}
