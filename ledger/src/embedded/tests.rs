//! The conformance suite on the embedded ledger, and tests of its own behaviour.

use std::time::Duration;

use tokio::time::advance;

use super::*;
use crate::Bridges;
use crate::{
    SLOT_TTL,
    conformance::{record, ticket},
};

async fn make() -> Arc<dyn Ledger> {
    Arc::new(EmbeddedLedger::default())
}

mod conformance {
    crate::ledger_conformance!(super::make);
}

async fn make_two() -> [Arc<dyn Ledger>; 2] {
    let ledger = EmbeddedLedger::default();
    [ledger.another(), ledger].map(|ledger| Arc::new(ledger) as Arc<dyn Ledger>)
}

mod bridges_conformance {
    crate::bridges_conformance!(super::make_two);
}

#[tokio::test]
async fn finished_jobs_are_forgotten_beyond_the_budget_and_open_ones_never() {
    let ledger = EmbeddedLedger::new(EmbeddedLedgerConfig {
        finished_jobs: 100,
        finished_bytes: 1_000,
        ..EmbeddedLedgerConfig::default()
    });
    let request = Bytes::from_static(&[7; 64]);
    for n in 0..1_000 {
        let job = record(n);
        let taken = ledger.take(&ticket(n, job.id), &job, &request).await;
        taken.unwrap();
        if n % 100 != 0 {
            let result = StoredResult::new(Bytes::from_static(b"reply"), 1, "w", 1);
            ledger.store_result(job.id, &result).await.unwrap();
            for (from, to) in [
                (JobState::Taken, JobState::Proved),
                (JobState::Proved, JobState::Delivered),
            ] {
                let note = Note::default();
                assert!(ledger.transition(job.id, &[from], to, &note).await.unwrap());
            }
        }
    }
    let (jobs, bytes) = ledger.footprint();
    assert_eq!(jobs, 10 + 1_000 / 69, "{bytes} bytes");
    let open = ledger.jobs(&[JobState::Taken], 100).await.unwrap();
    assert_eq!(open.len(), 10);
}

#[tokio::test]
async fn open_tickets_are_bounded() {
    let ledger = EmbeddedLedger::new(EmbeddedLedgerConfig {
        open_tickets: 1,
        ..EmbeddedLedgerConfig::default()
    });
    take(&ledger, 1).await;
    let job = record(1);
    let full = ledger.take(&ticket(2, job.id), &job, &Bytes::new()).await;
    let why = "the ledger holds 1 open tickets, its limit";
    assert_eq!(full.unwrap_err().to_string(), why);
}

const TTL: Duration = Duration::from_secs(3);

async fn take(ledger: &EmbeddedLedger, n: u32) {
    let job = record(n);
    let taken = ledger.take(&ticket(n, job.id), &job, &Bytes::new()).await;
    taken.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_that_ends_gives_the_tickets_away_once() {
    let a = EmbeddedLedger::default();
    let [b, c] = [a.another(), a.another()];
    let of_a = a.join("a", TTL).await.unwrap();
    let of_b = b.join("b", 10 * TTL).await.unwrap();
    let of_c = c.join("c", 10 * TTL).await.unwrap();
    for n in 0..5 {
        take(&a, n).await;
    }
    take(&b, 9).await;
    advance(TTL - Duration::from_millis(1)).await;
    assert_eq!(b.adopt(&of_b, 10).await.unwrap(), Some(vec![]));
    assert!(a.beat(&of_a).await.unwrap());
    advance(TTL).await;
    assert_eq!(b.adopt(&of_b, 2).await.unwrap().unwrap().len(), 2);
    assert_eq!(c.adopt(&of_c, 10).await.unwrap().unwrap().len(), 3);
    assert!(!a.beat(&of_a).await.unwrap(), "it is to join again");
    assert_eq!(a.adopt(&of_a, 10).await.unwrap(), None);
    for (bridge, expected) in [("a", &[][..]), ("b", &[0, 1, 9]), ("c", &[2, 3, 4])] {
        let owned = a.owned(bridge).await.unwrap();
        let owned: Vec<_> = owned.iter().map(|ticket| ticket.taken_at_ms).collect();
        assert_eq!(owned, expected, "{bridge}");
    }
}

#[tokio::test]
async fn a_loss_is_told_and_an_absence_is_one_handle_s() {
    let a = EmbeddedLedger::default();
    let b = a.another();
    let mut losses = b.losses();
    take(&a, 1).await;
    a.set_away(true);
    assert!(matches!(a.open_tickets().await, Err(LedgerError::Away(_))));
    assert_eq!(b.open_tickets().await.unwrap().len(), 1);
    a.wipe();
    losses.changed().await.unwrap();
    assert_eq!(b.open_tickets().await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn a_slot_that_says_nothing_is_forgotten() {
    let ledger = EmbeddedLedger::default();
    let report = SlotReport {
        slot: "worker 1".into(),
        ..SlotReport::default()
    };
    ledger.report(&report).await.unwrap();
    advance(SLOT_TTL - Duration::from_millis(1)).await;
    assert_eq!(ledger.slots().await.unwrap(), [report]);
    advance(Duration::from_millis(1)).await;
    assert_eq!(ledger.slots().await.unwrap(), []);
}
