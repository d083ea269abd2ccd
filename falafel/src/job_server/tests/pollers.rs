//! The queue of pollers.

use tokio::time::sleep;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_new_job_wakes_the_head_poller_at_once() {
    let desk = desk();
    let waiting = polling(&desk);
    sleep(Duration::from_millis(2300)).await;
    let start = Instant::now();
    create(&desk, "a");
    waiting.await.unwrap().unwrap();
    assert_eq!(millis(start), 0);
}

#[tokio::test(start_paused = true)]
async fn pollers_are_served_one_after_the_other_in_order() {
    let desk = desk();
    let mut waiting = Vec::new();
    for _ in 0..3 {
        waiting.push(polling(&desk));
        sleep(Duration::from_millis(1)).await;
    }
    let tickets = ["a", "b", "c"].map(|text| create(&desk, text).0);
    for (poller, ticket) in waiting.into_iter().zip(tickets) {
        let frame = poller.await.unwrap().unwrap();
        assert_eq!(frame.ticket, ticket);
    }
}

#[tokio::test(start_paused = true)]
async fn many_jobs_are_drained_by_one_poller_in_no_time() {
    let desk = desk();
    let tickets: Vec<_> = (0..896).map(|_| create(&desk, "claim").0).collect();
    let start = Instant::now();
    for ticket in tickets {
        assert_eq!(take(&desk).await.ticket, ticket);
    }
    assert_eq!(millis(start), 0);
}

/// Measured on the original: 1, 2 and 4 dead pollers cost 5.2, 10.0 and 20.2 s.
#[tokio::test(start_paused = true)]
async fn each_ghost_swallows_the_job_for_a_lease() {
    for (ghosts, least, most) in [(1, 5000, 6000), (2, 10_000, 12_000), (4, 20_000, 24_000)] {
        let desk = desk();
        for _ in 0..ghosts {
            ghost(&desk).await;
        }
        let alive = polling(&desk);
        sleep(Duration::from_millis(1)).await;
        let start = Instant::now();
        create(&desk, "a");
        alive.await.unwrap().unwrap();
        let waited = millis(start);
        assert!((least..=most).contains(&waited), "{ghosts}: {waited}");
        let stats = desk.stats();
        assert_eq!(stats.ghost_deliveries, ghosts);
        assert_eq!(stats.reissues, ghosts);
    }
}

#[tokio::test(start_paused = true)]
async fn when_the_server_stops_only_the_head_poller_is_told() {
    let desk = desk();
    let head = polling(&desk);
    sleep(Duration::from_millis(1)).await;
    let behind = polling(&desk);
    sleep(Duration::from_millis(1)).await;
    desk.stopping.cancel();
    assert_eq!(head.await.unwrap(), None);
    sleep(Duration::from_secs(60)).await;
    assert!(!behind.is_finished());
}
