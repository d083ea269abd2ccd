//! Many jobs at once, and the same jobs again after a restart of Falafel.

use std::{collections::HashMap, time::Duration};

use zkwhirl_ledger::LedgerEvent;

use crate::stage::{Fleet, claimed_again, order, say, times};

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_claims_at_once_are_proved_in_the_order_of_their_arrival() {
    let fleet = Fleet::start(1000).await;
    let _bridge = fleet.bridge("bridge");
    let _worker = fleet.worker("one", 0);
    fleet.until_settled().await;
    fleet.no_ticket_was_issued_more_often_than(1);
    let events = fleet.events().await;
    let taken = order(&events, "taken");
    // Claims, two inner rollups, root, verifier.
    assert_eq!(taken.len(), 1004);
    let claimed = order(&events, "claimed");
    let differ = taken.iter().zip(&claimed).position(|(a, b)| a != b);
    assert_eq!((claimed.len(), differ), (1004, None), "in another order");
    fleet.say_leases("1,000 claims, one worker");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_worker_idles_while_jobs_wait() {
    let fleet = Fleet::start(1000).await;
    let workers = ["one", "two", "three", "four"];
    // All workers consume before the first job is published.
    let _roles = workers.map(|name| fleet.worker_at_work(name, 50));
    let _bridge = fleet.bridge("bridge");
    fleet.until_settled().await;
    fleet.no_ticket_was_issued_more_often_than(1);
    let events = fleet.events().await;
    let taken = order(&events, "taken");
    assert_eq!(taken.len(), 1004);
    let mut claimed: HashMap<&str, Vec<usize>> = HashMap::new();
    for event in events.iter().filter(|event| event.what == "claimed") {
        let place = taken.iter().position(|job| Some(*job) == event.job);
        let worker = event.detail["worker"].as_str();
        claimed.entry(worker).or_default().push(place.unwrap());
    }
    // Four workers that claim at once may report in any order, but each gets its
    // jobs in the order of their arrival, and no job twice.
    assert!(claimed.values().all(|places| places.is_sorted()));
    let mut all: Vec<_> = claimed.values().flatten().copied().collect();
    all.sort();
    assert!(all.into_iter().eq(0..1004), "each job is claimed once");
    // A worker without its consumer in the queue would claim once, or never.
    assert_eq!(claimed.len(), workers.len(), "{claimed:?}");
    assert!(claimed.values().all(|places| places.len() > 1));
    say_idle(&events);
    fleet.say_leases("1,000 claims of 50 ms, 4 workers");
}

/// Shows for each claim but a worker's first: how long the worker had nothing
/// to do while the job that it then claimed was already in the queue.
fn say_idle(events: &[LedgerEvent]) {
    let (mut queued, mut worker_of, mut free_since) =
        (HashMap::new(), HashMap::new(), HashMap::new());
    let mut idle = Vec::new();
    for event in events {
        let (Some(job), at) = (event.job, event.at_ms) else {
            continue;
        };
        match event.what.as_str() {
            "queued" => drop(queued.entry(job).or_insert(at)),
            "claimed" => {
                let worker = event.detail["worker"].as_str();
                worker_of.insert(job, worker);
                if let Some(free) = free_since.remove(worker) {
                    // Claimed before the bridge reported the job as queued.
                    let queued = queued.get(&job).copied().unwrap_or(at);
                    idle.push(at.saturating_sub(queued.max(free)));
                }
            }
            "result" => {
                if let Some(worker) = worker_of.get(&job) {
                    free_since.insert(*worker, at);
                }
            }
            _ => {}
        }
    }
    idle.sort();
    let below = |percent: usize| idle.get(idle.len() * percent / 100).or(idle.last());
    say(format_args!(
        "idle while jobs wait: {} ms in {} claims; p50, p99 and most ms {:?}",
        idle.iter().sum::<u64>(),
        idle.len(),
        [50, 99, 100].map(|percent| below(percent).copied().unwrap_or_default()),
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_falafel_that_restarts_near_the_end_gets_finished_proofs_at_once() {
    let count = 20;
    let fleet = Fleet::start(count).await;
    let _bridge = fleet.bridge("bridge");
    let _worker = fleet.worker("one", 200);
    let nearly_all = count as u64 * 9 / 10;
    fleet.until_verified(nearly_all).await;
    let restarted = fleet.falafel.restart(Duration::from_millis(500));
    restarted.await.unwrap();
    fleet.until_settled().await;
    let events = fleet.events().await;
    assert_eq!(times(&events, "claimed").len(), count + 4);
    let again = claimed_again(&events);
    // A job in proving at the restart may have been cancelled and started again.
    assert!(again <= 1, "{again} jobs were proved again");
    assert_eq!(fleet.falafel.stats().nacks, 0);
}
