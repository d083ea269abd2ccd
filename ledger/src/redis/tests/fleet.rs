//! Several bridges and workers on one ledger, and the ledger's events.

use std::collections::BTreeSet;

use super::*;

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn of_two_that_adopt_at_once_each_ticket_gets_one() {
    let [a, b] = pair(testkit::scratch());
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
    let (server, ledger) = served();
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
    let events = ledger.events_after(None, 1_000).await.unwrap();
    assert!(events.len() < 500, "{} events", events.len());
    assert_eq!(events.last().unwrap().what, "dead");
    assert!(events.last().unwrap().detail["reason"].len() < 300);
}
