//! Several bridges and workers on one ledger, and the events of it.

use std::{collections::BTreeSet, time::Duration};

use super::*;
use crate::redis::Bridges;
use zkwhirl_testkit::eventually;

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(150);

async fn pair() -> [RedisLedger; 2] {
    let config = testkit::scratch();
    [0, 1].map(|_| RedisLedger::new(config.clone()).unwrap())
}

#[tokio::test]
async fn the_tickets_of_a_bridge_that_left_are_adopted_once() {
    let [a, b] = pair().await;
    let of_a = a.join("a", LONG).await.unwrap();
    let of_b = b.join("b", LONG).await.unwrap();
    assert!(of_b.fence > of_a.fence);
    let seen: Vec<_> = a.bridges().await.unwrap();
    let seen: Vec<_> = seen.iter().map(|seen| seen.bridge.as_str()).collect();
    assert_eq!(seen, ["a", "b"]);
    for n in 0..10 {
        take(&a, n).await;
    }
    take(&b, 100).await;
    assert_eq!(b.adopt(&of_b, 100).await.unwrap(), Some(vec![]));
    assert!(a.beat(&of_a).await.unwrap());
    a.leave(&of_a).await.unwrap();
    let first = b.adopt(&of_b, 6).await.unwrap().unwrap();
    let rest = b.adopt(&of_b, 6).await.unwrap().unwrap();
    let all: Vec<_> = first.iter().chain(&rest).map(|t| t.taken_at_ms).collect();
    assert_eq!(all, (0..10).collect::<Vec<_>>());
    assert_eq!(b.adopt(&of_b, 6).await.unwrap(), Some(vec![]));
    assert!(!a.beat(&of_a).await.unwrap(), "it is to join again");
    assert_eq!(a.adopt(&of_a, 6).await.unwrap(), None);
    // Tickets go with their new owner.
    b.leave(&of_b).await.unwrap();
    let of_a = a.join("a2", LONG).await.unwrap();
    assert_eq!(a.adopt(&of_a, 100).await.unwrap().unwrap().len(), 11);
}

#[tokio::test]
async fn a_heartbeat_that_ends_gives_the_tickets_away() {
    let [a, b] = pair().await;
    let of_a = a.join("a", SHORT).await.unwrap();
    let of_b = b.join("b", LONG).await.unwrap();
    take(&a, 1).await;
    eventually("it is adopted", || async {
        b.adopt(&of_b, 10).await.unwrap().unwrap().len() == 1
    })
    .await;
    assert!(!a.beat(&of_a).await.unwrap());
    eventually("a is not listed", || async {
        a.bridges().await.unwrap().len() == 1
    })
    .await;
    assert_eq!(a.open_tickets().await.unwrap().len(), 1, "it stays open");
}

#[tokio::test]
async fn a_ticket_that_falafel_gives_to_another_bridge_is_that_ones() {
    let [a, b] = pair().await;
    let of_a = a.join("a", LONG).await.unwrap();
    let of_b = b.join("b", LONG).await.unwrap();
    take(&a, 1).await;
    take(&b, 1).await;
    a.leave(&of_a).await.unwrap();
    assert_eq!(b.adopt(&of_b, 10).await.unwrap(), Some(vec![]));
    b.close_ticket(ticket(1, record(1).id).id).await.unwrap();
    b.leave(&of_b).await.unwrap();
    let of_a = a.join("a2", LONG).await.unwrap();
    assert_eq!(a.adopt(&of_a, 10).await.unwrap(), Some(vec![]));
}

#[tokio::test]
async fn of_two_that_adopt_at_once_each_ticket_gets_one() {
    let [a, b] = pair().await;
    let of_a = a.join("a", LONG).await.unwrap();
    for n in 0..200 {
        take(&a, n).await;
    }
    a.leave(&of_a).await.unwrap();
    let (of_b, c) = (b.join("b", LONG).await.unwrap(), a);
    let of_c = c.join("c", LONG).await.unwrap();
    let mut adopted = Vec::new();
    loop {
        let (first, second) = tokio::join!(b.adopt(&of_b, 20), c.adopt(&of_c, 20));
        let both: Vec<_> = [first, second].map(|got| got.unwrap().unwrap()).concat();
        if both.is_empty() {
            break;
        }
        adopted.extend(both.into_iter().map(|ticket| ticket.id));
    }
    assert_eq!(adopted.len(), 200);
    assert_eq!(adopted.into_iter().collect::<BTreeSet<_>>().len(), 200);
}

#[tokio::test]
async fn fences_grow_over_a_loss_of_all_data() {
    let server = RedisServer::start();
    let ledger = RedisLedger::new(watchful(server.address())).unwrap();
    let before = ledger.join("a", LONG).await.unwrap();
    let _: () = server.command(&["FLUSHALL"]);
    let after = ledger.join("a", LONG).await.unwrap();
    assert!(after.fence > before.fence);
    assert!(!ledger.beat(&before).await.unwrap());
}

#[tokio::test]
async fn what_happens_is_told_in_order_and_bounded() {
    let mut config = testkit::scratch();
    config.events = 200;
    let ledger = RedisLedger::new(config).unwrap();
    let job = deliver(&ledger, 1, "proof").await;
    let mut cursor: Option<String> = None;
    let mut told = Vec::new();
    loop {
        let page = ledger.events_after(cursor.as_deref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        cursor = Some(last.cursor.clone());
        told.extend(page);
    }
    told.retain(|event| event.job == Some(job));
    let names: Vec<_> = told.iter().map(|event| event.what.as_str()).collect();
    assert_eq!(names, ["taken", "result", "proved", "delivered", "closed"]);
    assert_eq!(told[0].detail["upstream"], "inner");
    assert_eq!(told[3].detail["from"], "proved");
    let note = Note::because("é".repeat(4_000));
    for n in 2..1_000 {
        let job = take(&ledger, n).await.id;
        let moved = ledger.transition(job, &[JobState::Taken], JobState::Dead, &note);
        assert!(moved.await.unwrap());
    }
    let events = ledger.last_events(1_000).await.unwrap();
    assert!(events.len() < 500, "{} events", events.len());
    assert_eq!(events.last().unwrap().what, "dead");
    assert!(events.last().unwrap().detail["reason"].len() < 300);
}
