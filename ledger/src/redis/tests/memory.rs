//! Lifetimes, budgets, and a Redis whose memory is full.

use rand::{RngCore, SeedableRng, rngs::StdRng};

use super::*;
use crate::{SLOT_TTL, SlotReport, conformance};
use zkwhirl_testkit::eventually;

fn keys(server: &RedisServer) -> u64 {
    server.command(&["DBSIZE"])
}

/// Sets the memory that Redis may use to what it uses and `more` bytes.
fn limit(server: &RedisServer, more: u64) {
    let used = info(server, "memory", "used_memory");
    let limit = (used + more).to_string();
    let _: () = server.command(&["CONFIG", "SET", "maxmemory", &limit]);
}

/// The lifetime of a key, in milliseconds; -1: the key has no lifetime.
fn lifetime(server: &RedisServer, key: &str) -> i64 {
    server.command(&["PTTL", key])
}

/// A request of 16 KiB that cannot be compressed.
fn large(n: u32) -> Bytes {
    let mut noise = vec![0; 16 << 10];
    StdRng::seed_from_u64(n.into()).fill_bytes(&mut noise);
    noise.into()
}

/// Takes ticket `n` with a request that cannot be compressed.
async fn take_large(ledger: &RedisLedger, n: u32) -> Result<JobId, LedgerError> {
    let request = large(n);
    let job = record_of(&request);
    let taken = ledger.take(&ticket(n, job.id), &job, &request).await;
    taken.map(|taken| taken.job.id)
}

#[tokio::test]
async fn a_full_redis_takes_nothing_new_and_ends_everything() {
    let (server, ledger) = served();
    take(&ledger, 0).await;
    limit(&server, 1 << 20);
    let mut taken = 0;
    let error = loop {
        match take_large(&ledger, taken + 1).await {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
        assert!(taken < 1_000, "1 MiB does not hold 1,000 of 16 KiB");
    };
    assert!(error.to_string().contains("no memory left"), "{error}");
    let open = ledger.open_tickets().await.unwrap().len();
    assert_eq!(open, taken as usize + 1, "nothing is half taken");
    let kept = ledger.store_result(record(1).id, &result("proof")).await;
    assert!(matches!(kept, Err(LedgerError::Away(_))), "{kept:?}");
    for n in 1..=taken {
        let job = record_of(&large(n)).id;
        assert!(go(&ledger, job, JobState::Taken, JobState::Withdrawn).await);
        assert!(ledger.close_ticket(ticket(n, job).id).await.unwrap());
    }
    // Finished jobs expire after a time; here at once.
    let mut config = ledger.inner.config.clone();
    config.finished_jobs = 0;
    let strict = RedisLedger::new(config).unwrap();
    let room = || async { take_large(&strict, 5_000).await.is_ok() };
    eventually("there is room again", room).await;
}

#[tokio::test]
async fn a_request_that_was_brought_beforehand_is_no_job_until_its_ticket_is_taken() {
    let server = RedisServer::start();
    let [bridge, other] = pair(watchful(server.address()));
    // The request is too large for a script.
    let request: Bytes = [large(1), large(2), large(3)].concat().into();
    let job = record_of(&request);
    bridge.upload(&job, &request).await.unwrap();
    // A bridge that is killed now has taken no ticket, and the upload expires.
    assert!(other.open_tickets().await.unwrap().is_empty());
    assert_eq!(other.job(job.id).await.unwrap(), None);
    let brought: Vec<String> = server.command(&["KEYS", "*:u:*"]);
    assert_eq!(brought.len(), 1);
    let lives = lifetime(&server, &brought[0]);
    assert!(lives > 0, "{lives}");
    let taken = bridge.take(&ticket(1, job.id), &job, &request).await;
    assert!(taken.unwrap().new_job);
    assert_eq!(other.request(job.id).await.unwrap(), Some(request));
    let left: Vec<String> = server.command(&["KEYS", "*:u:*"]);
    assert_eq!(left, [""; 0], "it was moved");
}

#[tokio::test]
async fn finished_jobs_stay_within_their_number() {
    let (server, ledger) = served_with(|config| config.finished_jobs = 10);
    let open = take(&ledger, 1_000).await.id;
    let mut jobs = Vec::new();
    for n in 0..100 {
        jobs.push(deliver(&ledger, n, "proof").await);
    }
    let finished = ledger.jobs(&JobState::FINISHED, 1_000).await.unwrap();
    let finished: Vec<_> = finished.iter().map(|job| job.id).collect();
    assert_eq!(finished, jobs[90..], "the youngest");
    assert_eq!(ledger.result(jobs[0]).await.unwrap(), None);
    let youngest = ledger.result(jobs[99]).await.unwrap();
    assert_eq!(youngest, Some(result("proof")));
    assert!(ledger.job(open).await.unwrap().is_some());
    let keys = keys(&server);
    assert!(keys < 60, "{keys} keys");
}

#[tokio::test]
async fn what_is_left_of_an_evicted_job_does_not_end_it_later() {
    let (_server, ledger) = served_with(|config| config.finished_jobs = 5);
    let job = deliver(&ledger, 0, "proof").await;
    let deleted: u64 = raw(&ledger, "DEL", key(&ledger, "j", job)).await;
    assert_eq!(deleted, 1);
    take(&ledger, 0).await;
    for n in 1..20 {
        deliver(&ledger, n, "proof").await;
    }
    let finished = ledger.jobs(&JobState::FINISHED, 100).await.unwrap();
    assert_eq!(finished.len(), 5);
    let open = ledger.job(job).await.unwrap().map(|job| job.state);
    assert_eq!(open, Some(JobState::Taken));
}

#[tokio::test]
async fn finished_jobs_stay_within_their_bytes() {
    let mut config = testkit::scratch();
    config.finished_bytes = 100 << 10;
    let ledger = RedisLedger::new(config).unwrap();
    let withdraw = async |numbers: std::ops::Range<u32>| {
        for n in numbers {
            let job = take_large(&ledger, n).await.unwrap();
            assert!(go(&ledger, job, JobState::Taken, JobState::Withdrawn).await);
        }
    };
    let kept = async || ledger.jobs(&JobState::FINISHED, 100).await.unwrap().len();
    withdraw(0..30).await;
    assert_eq!(kept().await, 6, "of 16 KiB in 100 KiB");
    // A job that starts again is not counted among the finished, and not dropped.
    let back = take_large(&ledger, 29).await.unwrap();
    withdraw(30..60).await;
    let job = ledger.job(back).await.unwrap().unwrap();
    assert_eq!(job.state, JobState::Taken);
    assert_eq!(kept().await, 6);
}

#[tokio::test]
async fn finished_jobs_go_in_time_and_nothing_stays() {
    let (server, ledger) = served_with(|config| config.keep = Duration::from_millis(300));
    for n in 0..50 {
        deliver(&ledger, n, "proof").await;
    }
    let open = take(&ledger, 1_000).await.id;
    let attempt = conformance::attempt(1);
    ledger.add_attempt(open, &attempt).await.unwrap();
    let gone = || async {
        let finished = ledger.jobs(&JobState::FINISHED, 100).await;
        // The keys of the epoch, of numbers, of the events and of the open job.
        finished.unwrap().is_empty() && keys(&server) <= 11
    };
    eventually("finished ones are gone", gone).await;
    assert!(ledger.job(open).await.unwrap().is_some());
    assert_eq!(ledger.attempts(open).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_open_has_no_lifetime_and_what_is_finished_has_one() {
    let (server, ledger) = served();
    let job = take(&ledger, 1).await.id;
    let attempt = conformance::attempt(1);
    ledger.add_attempt(job, &attempt).await.unwrap();
    ledger.store_result(job, &result("proof")).await.unwrap();
    let lifetimes = || ["j", "q", "r", "a"].map(|kind| lifetime(&server, &key(&ledger, kind, job)));
    let life = [
        (JobState::Taken, JobState::Proved, false),
        (JobState::Proved, JobState::Delivered, true),
        (JobState::Delivered, JobState::Proved, false),
        (JobState::Proved, JobState::Delivered, true),
    ];
    assert_eq!(lifetimes(), [-1; 4]);
    for (from, to, ends) in life {
        assert!(go(&ledger, job, from, to).await);
        let lifetimes = lifetimes();
        let right = |lifetime: &i64| if ends { *lifetime > 0 } else { *lifetime == -1 };
        assert!(lifetimes.iter().all(right), "{to}: {lifetimes:?}");
    }
    // A result of an unknown job has a short lifetime.
    let stray = record(2).id;
    ledger.store_result(stray, &result("proof")).await.unwrap();
    let key = key(&ledger, "r", stray);
    let lives = lifetime(&server, &key);
    assert!((1..=3_600_000).contains(&lives), "{lives}");
    take(&ledger, 2).await;
    assert_eq!(lifetime(&server, &key), -1);
}

#[tokio::test]
async fn a_rollup_that_comes_again_finds_its_proofs() {
    let ledger = scratch();
    for n in 0..29 {
        deliver(&ledger, n, "proof").await;
    }
    // Falafel restarted: the same requests under new ids.
    for n in 0..29 {
        let job = record(n);
        let again = ticket(100 + n, job.id);
        let taken = ledger.take(&again, &job, &request(n)).await.unwrap();
        assert!(!taken.new_job);
        assert_eq!(taken.job.state, JobState::Delivered);
        let kept = ledger.result(job.id).await.unwrap();
        assert_eq!(kept, Some(result("proof")));
        // The job is needed again: it has no lifetime until its next delivery.
        assert!(go(&ledger, job.id, JobState::Delivered, JobState::Proved).await);
        assert!(go(&ledger, job.id, JobState::Proved, JobState::Delivered).await);
    }
}

#[tokio::test]
async fn a_redis_that_evicts_anything_is_refused_and_settings_are_told() {
    let (server, ledger) = served();
    let warnings = ledger.check().await.unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("append-only"), "{warnings:?}");
    let policy = ["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"];
    let _: () = server.command(&policy);
    ledger.check().await.unwrap();
    limit(&server, 100 << 20);
    let unfit = ledger.check().await.unwrap_err().to_string();
    assert!(unfit.contains("evicts any key"), "{unfit}");
    assert!(unfit.contains("maxmemory-policy allkeys-lru"), "{unfit}");
}

#[tokio::test]
async fn a_redis_that_evicts_what_may_go_never_evicts_what_is_open() {
    let server = RedisServer::start_with(&["--maxmemory-policy", "volatile-lru"]);
    let ledger = on(&server, |_| ());
    for n in 0..20 {
        take_large(&ledger, n).await.unwrap();
    }
    limit(&server, 2 << 20);
    for n in 100..400 {
        let job = take_large(&ledger, n).await.unwrap();
        assert!(go(&ledger, job, JobState::Taken, JobState::Withdrawn).await);
        ledger.close_ticket(ticket(n, job).id).await.unwrap();
    }
    assert_ne!(info(&server, "stats", "evicted_keys"), 0);
    assert_eq!(ledger.open_tickets().await.unwrap().len(), 20);
    let open = ledger.jobs(&[JobState::Taken], 100).await.unwrap();
    assert_eq!(open.len(), 20);
    for job in open {
        assert!(ledger.request(job.id).await.unwrap().is_some());
    }
    // A job of which a part was evicted is complete again after it was taken.
    for n in 100..110 {
        let job = take_large(&ledger, n).await.unwrap();
        assert!(ledger.request(job).await.unwrap().is_some());
        let state = ledger.job(job).await.unwrap().unwrap().state;
        assert_eq!(state, JobState::Taken);
    }
}

#[tokio::test]
async fn a_slot_that_says_nothing_is_forgotten_and_leaves_nothing_behind() {
    let (server, ledger) = served();
    let report = SlotReport {
        slot: "host/1".into(),
        ..SlotReport::default()
    };
    ledger.report(&report).await.unwrap();
    let key = key(&ledger, "w", "host/1");
    let left = lifetime(&server, &key);
    assert!((1..=SLOT_TTL.as_millis() as i64).contains(&left), "{left}");
    let _: i64 = server.command(&["PEXPIRE", &key, "0"]);
    assert_eq!(ledger.slots().await.unwrap(), []);
    let index = format!("{}workers", ledger.prefix());
    let there: i64 = server.command(&["EXISTS", &key, &index]);
    assert_eq!(there, 0);
}

#[tokio::test]
async fn an_unverified_reply_has_a_lifetime_and_leaves_the_index_with_it() {
    let (server, ledger) = served();
    let job = take(&ledger, 1).await.id;
    let reply = result("not verified yet");
    ledger.store_unverified(job, &reply).await.unwrap();
    let kept: Vec<String> = server.command(&["KEYS", "*:v:*"]);
    let lives = lifetime(&server, &kept[0]);
    assert!((1..=crate::UNVERIFIED_TTL.as_millis() as i64).contains(&lives));
    let _: () = server.command(&["DEL", &kept[0]]);
    assert_eq!(ledger.unverified_jobs().await.unwrap(), []);
    assert_eq!(ledger.unverified(job).await.unwrap(), None);
}
