//! Tests of the behaviour that every ledger must have.
//!
//! `ledger_conformance!(make)` makes one `#[tokio::test]` per behaviour;
//! `make` is an async function that returns an empty `Arc<dyn Ledger>`.

mod fleet;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use zkwhirl_job::{AttemptRecord, Failure, Frame, JobId, Kind, TicketId, Topic, limits};

use crate::{
    JobRecord, JobState, Ledger, Note, SlotActivity, SlotReport, StoredResult, Ticket, UNVERIFIED,
};

pub use fleet::*;

type Under = Arc<dyn Ledger>;

/// The request of the claim job number `n`.
pub fn request(n: u32) -> Bytes {
    let mut data = vec![0, 0, 0, 2];
    data.extend(n.to_be_bytes());
    data.into()
}

/// The record of the job with this request.
pub fn record_of(request: &Bytes) -> JobRecord {
    JobRecord::of_frame(&Frame {
        ticket: TicketId([0; 32]),
        command: 4,
        data: request.clone(),
    })
}

/// The record of the claim job number `n`.
pub fn record(n: u32) -> JobRecord {
    record_of(&request(n))
}

/// The ticket number `n`, which waits for `job`.
pub fn ticket(n: u32, job: JobId) -> Ticket {
    let mut id = [0; 32];
    id[..4].copy_from_slice(&n.to_be_bytes());
    Ticket {
        id: TicketId(id),
        upstream: "inner".into(),
        job,
        taken_at_ms: u64::from(n),
    }
}

/// A failed attempt of this number.
pub fn attempt(attempt: u32) -> AttemptRecord {
    AttemptRecord {
        attempt,
        worker: "w".into(),
        failure: Failure::prover("died"),
        duration: Duration::from_secs(1),
        exit: Some("signal 9".into()),
        stderr_tail: String::new(),
        peak_rss_bytes: None,
    }
}

/// Takes ticket `n` for job `m`.
async fn take(ledger: &Under, n: u32, m: u32) -> crate::Taken {
    let job = record(m);
    let taken = ledger.take(&ticket(n, job.id), &job, &request(m)).await;
    taken.expect("the ledger is there")
}

async fn go(ledger: &Under, job: JobId, from: JobState, to: JobState) -> bool {
    let moved = ledger.transition(job, &[from], to, &Note::default()).await;
    moved.expect("the ledger is there")
}

/// A ticket is new once; equal requests are one job with several tickets.
pub async fn tickets_are_taken_once_and_jobs_joined(ledger: Under) {
    let job = record(1);
    let first = take(&ledger, 1, 1).await;
    assert!(first.new_ticket && first.new_job);
    assert_eq!(first.job, job);
    let again = take(&ledger, 1, 1).await;
    assert!(!again.new_ticket && !again.new_job);
    let second = take(&ledger, 2, 1).await;
    assert!(second.new_ticket && !second.new_job);
    take(&ledger, 3, 2).await;
    let of_job = ledger.tickets_of(job.id).await.expect("there");
    assert_eq!(of_job, [ticket(1, job.id), ticket(2, job.id)]);
    assert_eq!(ledger.open_tickets().await.expect("there").len(), 3);
    let kept = ledger.request(job.id).await.expect("there");
    assert_eq!(kept, Some(request(1)));
}

/// A ticket is closed once, and may be opened again.
pub async fn tickets_are_closed_once(ledger: Under) {
    let job = record(1);
    take(&ledger, 1, 1).await;
    let id = ticket(1, job.id).id;
    assert!(ledger.close_ticket(id).await.expect("there"));
    assert!(!ledger.close_ticket(id).await.expect("there"));
    assert_eq!(ledger.tickets_of(job.id).await.expect("there"), []);
    assert!(take(&ledger, 1, 1).await.new_ticket);
}

/// States change by compare-and-set, along legal moves only, with their notes.
pub async fn states_change_by_compare_and_set(ledger: Under) {
    use JobState::{Claimed, Delivered, Proved, Proving, Queued, Taken};
    let job = record(1);
    assert!(!go(&ledger, job.id, Taken, Queued).await, "unknown");
    take(&ledger, 1, 1).await;
    assert!(!go(&ledger, job.id, Queued, Claimed).await, "not in it");
    assert!(!go(&ledger, job.id, Taken, Delivered).await, "not legal");
    assert!(go(&ledger, job.id, Taken, Queued).await);
    let note = Note {
        attempt: Some(2),
        worker: Some("w".into()),
        reason: Some("because".into()),
    };
    let moved = ledger.transition(job.id, &[Taken, Queued], Claimed, &note);
    assert!(moved.await.expect("there"));
    assert!(go(&ledger, job.id, Claimed, Proving).await);
    let now = ledger.job(job.id).await.expect("there").expect("known");
    assert_eq!((now.state, now.attempt), (Proving, 2));
    let worker = now.worker.as_deref();
    assert_eq!(worker, Some("w"), "a note's gap changes nothing");
    assert_eq!(now.reason.as_deref(), Some("because"));
    let proving = ledger.jobs(&[Proving], 10).await.expect("there");
    assert_eq!(proving, [now]);
    assert_eq!(ledger.jobs(&[Proved], 10).await.expect("there"), []);
}

/// Listings are in the order of taking and bounded.
pub async fn listings_are_ordered_and_bounded(ledger: Under) {
    for n in 0..20 {
        take(&ledger, n, n).await;
    }
    let jobs = ledger.jobs(&[JobState::Taken], 5).await.expect("there");
    let ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
    assert_eq!(ids, (0..5).map(|n| record(n).id).collect::<Vec<_>>());
}

/// A withdrawn job starts again when a ticket asks for it.
pub async fn a_withdrawn_job_comes_back(ledger: Under) {
    let job = record(1);
    take(&ledger, 1, 1).await;
    assert!(go(&ledger, job.id, JobState::Taken, JobState::Withdrawn).await);
    let back = take(&ledger, 2, 1).await;
    assert!(!back.new_job);
    assert_eq!((back.job.state, back.job.attempt), (JobState::Taken, 1));
}

/// The first result stays; a dropped one makes room.
pub async fn the_first_result_stays(ledger: Under) {
    let job = record(1);
    take(&ledger, 1, 1).await;
    assert_eq!(ledger.result(job.id).await.expect("there"), None);
    let [a, b] = ["a", "b"].map(|reply| StoredResult::new(reply.into(), 1, "w", 5));
    assert!(ledger.store_result(job.id, &a).await.expect("there"));
    assert!(!ledger.store_result(job.id, &b).await.expect("there"));
    assert_eq!(ledger.result(job.id).await.expect("there"), Some(a));
    ledger.drop_result(job.id).await.expect("there");
    assert_eq!(ledger.result(job.id).await.expect("there"), None);
    assert!(ledger.store_result(job.id, &b).await.expect("there"));
    assert_eq!(ledger.result(job.id).await.expect("there"), Some(b));
}

/// A result whose bytes do not match its digest is dropped and can be replaced.
pub async fn a_result_whose_bytes_changed_is_none(ledger: Under) {
    let job = take(&ledger, 1, 1).await.job.id;
    let good = StoredResult::new("reply".into(), 2, "w", 1);
    let bad = StoredResult {
        reply: "rotten".into(),
        ..good.clone()
    };
    ledger.store_result(job, &bad).await.expect("there");
    assert_eq!(ledger.result(job).await.expect("there"), None);
    assert!(ledger.store_result(job, &good).await.expect("there"));
    assert_eq!(ledger.result(job).await.expect("there"), Some(good));
}

/// An unverified reply is kept apart from the results and since its first time;
/// the newest replaces it, and it is dropped once it is decided.
pub async fn unverified_replies_are_kept_apart(ledger: Under) {
    let [one, two] = [1, 2].map(|n| record(n).id);
    for n in [1, 2] {
        take(&ledger, n, n).await;
    }
    assert_eq!(ledger.unverified(one).await.expect("there"), None);
    let [a, b] = ["a", "b"].map(|reply| StoredResult::new(reply.into(), 1, "w", 5));
    for job in [one, two] {
        ledger.store_unverified(job, &a).await.expect("there");
    }
    let first = ledger.unverified(one).await.expect("there").expect("kept");
    assert_eq!(first.result, a);
    assert_eq!(ledger.result(one).await.expect("there"), None);
    ledger.store_unverified(one, &b).await.expect("there");
    let second = ledger.unverified(one).await.expect("there").expect("kept");
    assert_eq!((second.since_ms, second.result), (first.since_ms, b));
    let mut jobs = ledger.unverified_jobs().await.expect("there");
    // Both were kept within one millisecond, as a rule.
    jobs.sort();
    let mut both = [one, two];
    both.sort();
    assert_eq!(jobs, both);
    ledger.drop_unverified(one).await.expect("there");
    assert_eq!(ledger.unverified(one).await.expect("there"), None);
    assert_eq!(ledger.unverified_jobs().await.expect("there"), [two]);
}

/// Unverified replies are bounded in number: the oldest go first.
pub async fn unverified_replies_are_bounded(ledger: Under) {
    let reply = StoredResult::new("a".into(), 1, "w", 5);
    for n in 0..UNVERIFIED as u32 {
        let kept = ledger.store_unverified(record(n).id, &reply).await;
        kept.expect("there");
        if n == 0 {
            // The other replies are younger by the ledger's clock.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    let last = record(UNVERIFIED as u32).id;
    ledger.store_unverified(last, &reply).await.expect("there");
    let jobs = ledger.unverified_jobs().await.expect("there");
    assert_eq!(jobs.len(), UNVERIFIED);
    assert!(!jobs.contains(&record(0).id) && jobs.contains(&last));
    let gone = ledger.unverified(record(0).id).await;
    assert_eq!(gone.expect("there"), None);
}

/// Attempts are kept in order, the newest of them.
pub async fn attempts_are_bounded(ledger: Under) {
    let job = record(1);
    take(&ledger, 1, 1).await;
    let attempts = limits::ATTEMPT_RECORDS as u32 + 3;
    for n in 1..=attempts {
        let added = ledger.add_attempt(job.id, &attempt(n)).await;
        added.expect("there");
    }
    let kept = ledger.attempts(job.id).await.expect("there");
    let kept: Vec<_> = kept.iter().map(|record| record.attempt).collect();
    assert_eq!(kept, (4..=attempts).collect::<Vec<_>>());
}

/// The last report of each slot is listed once, in the order of the names.
pub async fn slots_are_heard(ledger: Under) {
    assert_eq!(ledger.slots().await.expect("there"), []);
    let report = |slot: &str, done| SlotReport {
        slot: slot.into(),
        topics: Topic::ALL.into(),
        doing: SlotActivity::Proving,
        job: Some(record(1).id),
        kind: Some(Kind::Claim),
        fraction: 0.25,
        done,
        ..SlotReport::default()
    };
    for (slot, done) in [("b/1", 1), ("a/1", 2), ("b/1", 3)] {
        ledger.report(&report(slot, done)).await.expect("there");
    }
    let heard = ledger.slots().await.expect("there");
    assert_eq!(heard, [report("a/1", 2), report("b/1", 3)]);
}

/// One `#[tokio::test]` per behaviour that a ledger must have.
#[macro_export]
macro_rules! ledger_conformance {
    ($make:path) => {
        $crate::ledger_conformance!(@list $make,
            tickets_are_taken_once_and_jobs_joined,
            tickets_are_closed_once,
            states_change_by_compare_and_set,
            listings_are_ordered_and_bounded,
            a_withdrawn_job_comes_back,
            the_first_result_stays,
            a_result_whose_bytes_changed_is_none,
            unverified_replies_are_kept_apart,
            unverified_replies_are_bounded,
            attempts_are_bounded,
            slots_are_heard,
        );
    };
    (@list $make:path, $($name:ident,)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                $crate::conformance::$name($make().await).await;
            }
        )*
    };
}
