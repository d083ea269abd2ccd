//! Many calls at the same time.

use std::{collections::BTreeSet, sync::atomic::Ordering};

use tokio::task::JoinSet;
use zkwhirl_job::TicketId;

use super::*;
use crate::{Taken, Ticket};

/// Runs `calls` calls at once, each with a handle of the ledger.
pub(super) async fn at_once<T, Fut>(
    ledger: &RedisLedger,
    calls: u32,
    call: impl Fn(RedisLedger, u32) -> Fut,
) -> Vec<T>
where
    T: Send + 'static,
    Fut: Future<Output = T> + Send + 'static,
{
    let calls = (0..calls).map(|n| call(ledger.clone(), n));
    calls.collect::<JoinSet<_>>().join_all().await
}

#[tokio::test]
async fn a_thousand_tickets_are_taken_moved_and_closed_at_once() {
    let ledger = scratch();
    let jobs = at_once(&ledger, 1_000, |ledger, n| async move {
        take(&ledger, n).await.id
    });
    let jobs: BTreeSet<_> = jobs.await.into_iter().collect();
    assert_eq!(jobs.len(), 1_000);
    let open = ledger.open_tickets().await.unwrap();
    let ids: BTreeSet<_> = open.iter().map(|ticket| ticket.id).collect();
    assert_eq!(ids.len(), 1_000);
    let moved = at_once(&ledger, 1_000, |ledger, n| async move {
        let job = record(n).id;
        let moved = go(&ledger, job, JobState::Taken, JobState::Queued).await;
        moved && ledger.close_ticket(ticket(n, job).id).await.unwrap()
    });
    assert!(moved.await.into_iter().all(|moved| moved));
    assert_eq!(ledger.open_tickets().await.unwrap(), []);
    let queued = ledger.jobs(&[JobState::Queued], 2_000).await.unwrap();
    let listed: BTreeSet<_> = queued.iter().map(|job| job.id).collect();
    assert_eq!(listed, jobs);
    assert_eq!(ledger.inner.link.away.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn equal_requests_taken_at_once_are_one_job() {
    let ledger = scratch();
    let taken = at_once(&ledger, 200, |ledger, n| async move {
        let job = record(7);
        let request = Bytes::from_static(b"request");
        let taken = ledger.take(&ticket(n, job.id), &job, &request).await;
        taken.unwrap()
    });
    let taken: Vec<Taken> = taken.await;
    assert!(taken.iter().all(|taken| taken.new_ticket));
    assert_eq!(taken.iter().filter(|taken| taken.new_job).count(), 1);
    let tickets = ledger.tickets_of(record(7).id).await.unwrap();
    assert_eq!(tickets.len(), 200);
}

#[tokio::test]
async fn of_two_ledgers_that_race_for_a_move_one_wins() {
    let ledgers = pair(testkit::scratch());
    for n in 0..200 {
        take(&ledgers[0], n).await;
    }
    let wins = at_once(&ledgers[0], 400, |_, n| {
        let ledger = ledgers[(n % 2) as usize].clone();
        let worker = format!("w{}", n % 2);
        async move {
            let note = Note {
                worker: Some(worker),
                ..Note::default()
            };
            let (job, from) = (record(n / 2).id, [JobState::Taken]);
            let moved = ledger.transition(job, &from, JobState::Claimed, &note);
            (n, moved.await.unwrap())
        }
    });
    let mut wins = wins.await;
    wins.retain(|(_, won)| *won);
    let winners: BTreeSet<_> = wins.iter().map(|(n, _)| n / 2).collect();
    assert_eq!((wins.len(), winners.len()), (200, 200));
    for (n, _) in wins {
        let job = ledgers[0].job(record(n / 2).id).await.unwrap().unwrap();
        assert_eq!(job.worker, Some(format!("w{}", n % 2)));
    }
}

#[tokio::test]
async fn a_result_stored_at_once_by_many_is_the_first_ones() {
    let ledger = scratch();
    let job = take(&ledger, 1).await.id;
    let stored = at_once(&ledger, 50, |ledger, n| async move {
        let result = StoredResult::new(Bytes::from(format!("reply {n}")), n, "w", 1);
        let stored = ledger.store_result(job, &result).await.unwrap();
        stored.then_some(result)
    });
    let stored: Vec<_> = stored.await.into_iter().flatten().collect();
    let kept = ledger.result(job).await.unwrap().unwrap();
    assert_eq!(stored, [kept]);
}

#[tokio::test]
async fn long_lists_come_in_pages_and_in_order() {
    let ledger = scratch();
    let job = record(1);
    let request = Bytes::from_static(b"request");
    for n in 0..1_300u32 {
        let mut id = [0; 32];
        // The order of the tickets, not of their ids.
        id[..4].copy_from_slice(&n.wrapping_mul(2_654_435_761).to_be_bytes());
        let ticket = Ticket {
            id: TicketId(id),
            ..ticket(n, job.id)
        };
        ledger.take(&ticket, &job, &request).await.unwrap();
    }
    let open = ledger.open_tickets().await.unwrap();
    let order: Vec<_> = open.iter().map(|ticket| ticket.taken_at_ms).collect();
    assert_eq!(order, (0..1_300).collect::<Vec<_>>());
}
