//! Stored values that are damaged.

use std::sync::atomic::Ordering;

use super::{super::frame, *};

/// Every kind of damage to a value of `bytes` bytes.
fn harm(whole: &[u8]) -> Vec<Vec<u8>> {
    let mut flipped = whole.to_vec();
    *flipped.last_mut().unwrap() ^= 1;
    let mut version = whole.to_vec();
    version[0] = 9;
    vec![
        whole[..whole.len() - 1].to_vec(),
        whole[..whole.len() / 2].to_vec(),
        [whole, b"more"].concat(),
        flipped,
        version,
        b"x".to_vec(),
    ]
}

#[tokio::test]
async fn a_damaged_result_is_none_and_makes_room() {
    let ledger = scratch();
    let job = take(&ledger, 1).await.id;
    let key = key(&ledger, "r", job);
    assert!(ledger.store_result(job, &result("proof")).await.unwrap());
    let whole: Vec<u8> = raw(&ledger, "GET", &key).await;
    let all = harm(&whole);
    for (times, bad) in all.iter().enumerate() {
        let _: () = raw(&ledger, "SET", (&key, bad)).await;
        assert_eq!(ledger.result(job).await.unwrap(), None);
        assert_eq!(raw::<u64>(&ledger, "EXISTS", &key).await, 0, "dropped");
        let damaged = &ledger.inner.damaged;
        let count = times as u64 + 1;
        assert_eq!(damaged.load(Ordering::Relaxed), count);
        let _: () = raw(&ledger, "SET", (&key, bad)).await;
        // The damaged result is dropped, and the next proof is stored.
        assert!(ledger.store_result(job, &result("proof")).await.unwrap());
        let kept = ledger.result(job).await.unwrap();
        assert_eq!(kept, Some(result("proof")));
        damaged.store(count, Ordering::Relaxed);
    }
    let _: () = raw(&ledger, "DEL", &key).await;
    let _: u64 = raw(&ledger, "RPUSH", (&key, "not a text")).await;
    assert_eq!(ledger.result(job).await.unwrap(), None);
    assert!(ledger.store_result(job, &result("proof")).await.unwrap());
}

#[tokio::test]
async fn a_damaged_request_is_named_once_and_its_job_can_be_taken_again() {
    let ledger = scratch();
    let job = take(&ledger, 1).await.id;
    let key = key(&ledger, "q", job);
    let whole: Vec<u8> = raw(&ledger, "GET", &key).await;
    for bad in harm(&whole) {
        let _: () = raw(&ledger, "SET", (&key, &bad)).await;
        let error = ledger.request(job).await.unwrap_err();
        let named = matches!(&error, LedgerError::Damaged { key: named, .. } if *named == key);
        assert!(named, "{error:?}");
        assert!(error.to_string().starts_with(&key), "{error}");
        assert_eq!(ledger.request(job).await.unwrap(), None);
        assert_eq!(ledger.job(job).await.unwrap(), None);
        // The job's tickets are still open: the bridge closes them.
        assert_eq!(ledger.tickets_of(job).await.unwrap().len(), 1);
        let job = record(1);
        let taken = ledger.take(&ticket(1, job.id), &job, &request(1)).await;
        assert!(taken.unwrap().new_job);
        assert_eq!(ledger.request(job.id).await.unwrap(), Some(request(1)));
    }
}

#[tokio::test]
async fn a_request_that_is_gone_makes_its_job_unknown() {
    let ledger = scratch();
    let job = take(&ledger, 1).await.id;
    let key = key(&ledger, "q", job);
    let _: u64 = raw(&ledger, "DEL", &key).await;
    assert_eq!(ledger.request(job).await.unwrap(), None);
    assert_eq!(ledger.job(job).await.unwrap(), None);
    take(&ledger, 1).await;
    let _: u64 = raw(&ledger, "DEL", &key).await;
    // A ticket for the job contains the request again.
    take(&ledger, 1).await;
    assert!(ledger.request(job).await.unwrap().is_some());
}

#[tokio::test]
async fn an_oversize_value_is_refused_before_it_is_read() {
    let (server, ledger) = served();
    let job = take(&ledger, 1).await.id;
    let huge = vec![7u8; 32 << 20];
    for kind in ["q", "r"] {
        let _: () = raw(&ledger, "SET", (key(&ledger, kind, job), &huge)).await;
    }
    let list = key(&ledger, "a", job);
    let _: u64 = raw(&ledger, "RPUSH", (&list, &huge)).await;
    let hash = key(&ledger, "j", take(&ledger, 2).await.id);
    let _: u64 = raw(&ledger, "HSET", (&hash, "reason", &huge)).await;
    let sent = || info(&server, "stats", "total_net_output_bytes");
    let before = sent();
    let error = ledger.attempts(job).await.unwrap_err();
    assert!(error.to_string().starts_with(&list), "{error}");
    assert_eq!(ledger.attempts(job).await.unwrap(), []);
    assert_eq!(ledger.result(job).await.unwrap(), None);
    let error = ledger.request(job).await.unwrap_err().to_string();
    let limit = frame::REQUEST;
    let why = format!("33554432 bytes, the limit is {limit}");
    assert!(error.contains(&why), "{error}");
    let error = ledger.job(record(2).id).await.unwrap_err().to_string();
    let named = error.starts_with(&hash) && error.contains("the limit is");
    assert!(named, "{error}");
    let read = sent() - before;
    // A request is read up to its limit; other too large values are not read at all.
    let limit = frame::REQUEST as u64 + (64 << 10);
    assert!(read < limit, "{read} bytes");
}

#[tokio::test]
async fn an_oversize_value_is_not_written() {
    let ledger = scratch();
    let job = take(&ledger, 1).await;
    let long = Bytes::from(vec![0; zkwhirl_job::limits::REQUEST_BYTES + 1]);
    let taken = ledger.take(&ticket(1, job.id), &job, &long).await;
    let stored = StoredResult::new(long, 1, "w", 1);
    let stored = ledger.store_result(job.id, &stored).await;
    for full in [taken.map(drop), stored.map(drop)] {
        assert!(matches!(full, Err(LedgerError::Full { .. })), "{full:?}");
    }
}

#[tokio::test]
async fn damaged_records_are_named_once_and_do_not_hide_the_others() {
    let ledger = scratch();
    let jobs = [1, 2, 3, 4].map(record).map(|job| job.id);
    for n in 1..=4 {
        take(&ledger, n).await;
    }
    let keys = jobs.map(|job| key(&ledger, "j", job));
    let _: u64 = raw(&ledger, "HSET", (&keys[0], "attempt", "minus one")).await;
    let _: u64 = raw(&ledger, "HDEL", (&keys[1], "bytes")).await;
    let _: u64 = raw(&ledger, "DEL", &keys[2]).await;
    let _: () = raw(&ledger, "SET", (&keys[2], "not a hash")).await;
    let error = ledger.job(jobs[0]).await.unwrap_err().to_string();
    let why = "is damaged and was dropped: its attempt is \"minus one\"";
    assert_eq!(error, format!("{} {why}", keys[0]));
    assert_eq!(ledger.job(jobs[0]).await.unwrap(), None);
    let left = ledger.jobs(&[JobState::Taken], 10).await.unwrap();
    let left: Vec<_> = left.iter().map(|job| job.id).collect();
    assert_eq!(left, [jobs[3]]);
    let _: () = raw(&ledger, "SET", (&keys[3], "not a hash")).await;
    let note = Note::default();
    let moved = ledger.transition(jobs[3], &JobState::ALL, JobState::Queued, &note);
    let error = moved.await.unwrap_err();
    assert!(error.to_string().starts_with(&keys[3]), "{error}");
    for n in 1..=4 {
        assert_eq!(take(&ledger, n).await.state, JobState::Taken);
    }
}

#[tokio::test]
async fn damaged_tickets_are_dropped_and_come_again() {
    let ledger = scratch();
    for n in 1..=3 {
        take(&ledger, n).await;
    }
    let tickets = [1, 2, 3].map(|n| ticket(n, record(n).id));
    let keys = [0, 1].map(|n| key(&ledger, "t", tickets[n].id));
    let _: u64 = raw(&ledger, "HDEL", (&keys[0], "job")).await;
    let _: u64 = raw(&ledger, "DEL", &keys[1]).await;
    let _: () = raw(&ledger, "SET", (&keys[1], "not a hash")).await;
    assert_eq!(ledger.open_tickets().await.unwrap(), tickets[2..]);
    assert_eq!(ledger.open_tickets().await.unwrap(), tickets[2..]);
    assert_eq!(ledger.tickets_of(record(1).id).await.unwrap(), []);
    let again = ledger.take(&tickets[0], &record(1), &Bytes::new()).await;
    assert!(again.unwrap().new_ticket);
}
