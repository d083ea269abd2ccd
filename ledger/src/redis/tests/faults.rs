//! A Redis that restarts, forgets or hangs.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::Instant,
};

use super::{super::scripts::script, races::at_once, *};
use crate::Taken;
use zkwhirl_testkit::eventually;

/// Waits until the ledger has read Redis's epoch, so that it notices a loss.
async fn until_watched(ledger: &RedisLedger) {
    let epoch = format!("{}epoch", ledger.prefix());
    let is_there = || async { raw::<u64>(ledger, "EXISTS", &epoch).await == 1 };
    eventually("the ledger is watched", is_there).await;
}

#[tokio::test]
async fn a_restart_with_its_file_loses_nothing_and_calls_outlast_it() {
    let options = ["--appendonly", "yes", "--appendfsync", "always"];
    let mut server = RedisServer::start_with(&options);
    let ledger = on(&server, |_| ());
    for n in 0..50 {
        take(&ledger, n).await;
    }
    until_watched(&ledger).await;
    server.kill();
    let meanwhile = tokio::spawn({
        let ledger = ledger.clone();
        async move { go(&ledger, record(1).id, JobState::Taken, JobState::Queued).await }
    });
    let repeats = || async { ledger.inner.link.repeats.load(Ordering::Relaxed) > 0 };
    eventually("the call is tried again", repeats).await;
    server.start_again();
    assert!(meanwhile.await.unwrap());
    assert_eq!(ledger.open_tickets().await.unwrap().len(), 50);
    assert_eq!(*ledger.losses().borrow(), 0);
    assert_eq!(ledger.inner.link.away.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_restart_without_a_file_is_noticed_and_work_goes_on() {
    let (mut server, ledger) = served();
    take(&ledger, 1).await;
    until_watched(&ledger).await;
    let mut losses = ledger.losses();
    assert_eq!(*losses.borrow_and_update(), 0);
    server.kill();
    server.start_again();
    losses.changed().await.unwrap();
    assert_eq!(ledger.open_tickets().await.unwrap(), []);
    assert_eq!(take(&ledger, 1).await.state, JobState::Taken);
}

#[tokio::test]
async fn a_flush_in_the_middle_repeats_work_but_no_proof_that_comes_after_it() {
    let (server, ledger) = served();
    let job = take(&ledger, 1).await.id;
    assert!(go(&ledger, job, JobState::Taken, JobState::Claimed).await);
    assert!(go(&ledger, job, JobState::Claimed, JobState::Proving).await);
    until_watched(&ledger).await;
    server.command::<()>(&["FLUSHALL"]);
    // The worker was proving while Redis lost its data.
    assert!(ledger.store_result(job, &result("proof")).await.unwrap());
    assert!(!go(&ledger, job, JobState::Proving, JobState::Proved).await);
    let noticed = || async { *ledger.losses().borrow() >= 1 };
    eventually("the loss is noticed", noticed).await;
    assert_eq!(ledger.job(job).await.unwrap(), None);
    assert!(!ledger.close_ticket(ticket(1, job).id).await.unwrap());
    // Falafel issues the ticket again: the job starts again and still has its proof.
    let job = take(&ledger, 1).await;
    assert_eq!((job.state, job.attempt), (JobState::Taken, 1));
    let kept = ledger.result(job.id).await.unwrap();
    assert_eq!(kept, Some(result("proof")));
    let events = ledger.events_after(None, 10).await.unwrap();
    assert!(events.iter().any(|event| event.what == "epoch"));
}

async fn take_empty(ledger: &RedisLedger, n: u32) -> Result<Taken, LedgerError> {
    let (job, request) = (record(n), Bytes::new());
    ledger.take(&ticket(n, job.id), &job, &request).await
}

#[tokio::test]
async fn a_redis_that_hangs_is_away_in_time_and_blocks_nobody() {
    let (server, ledger) = served_with(|config| config.timeout = Duration::from_millis(400));
    take(&ledger, 1).await;
    server.pause();
    // This runtime has one thread, which no call may block.
    let ticks = tokio::spawn(async {
        let mut ticks = 0;
        let end = Instant::now() + Duration::from_millis(400);
        while Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(5)).await;
            ticks += 1;
        }
        ticks
    });
    let start = Instant::now();
    let calls = at_once(&ledger, 1_000, |ledger, n| async move {
        take_empty(&ledger, n).await
    });
    for call in calls.await {
        assert!(matches!(call, Err(LedgerError::Away(_))), "{call:?}");
    }
    let took = start.elapsed();
    assert!(took < Duration::from_secs(4), "{took:?}");
    let ticks = ticks.await.unwrap();
    assert!(ticks > 5, "{ticks} ticks in 400 ms");
    server.resume();
    let answers = || async { ledger.job(record(1).id).await.is_ok() };
    eventually("it answers again", answers).await;
    // A call that timed out may have changed Redis, and may be repeated.
    for n in 0..1_000 {
        let taken = || async { take_empty(&ledger, n).await.is_ok() };
        eventually("it is taken", taken).await;
    }
    assert_eq!(ledger.open_tickets().await.unwrap().len(), 1_000);
}

#[tokio::test]
async fn a_redis_that_is_not_there_is_away_in_time_and_is_found_when_it_comes() {
    let mut server = RedisServer::start();
    server.kill();
    let ledger = on(&server, |config| {
        config.timeout = Duration::from_millis(300)
    });
    let start = Instant::now();
    let error = ledger.open_tickets().await.unwrap_err();
    assert!(
        error.to_string().contains("ledger is unavailable"),
        "{error}"
    );
    assert!(start.elapsed() < Duration::from_secs(3));
    server.start_again();
    let found = || async { ledger.open_tickets().await.is_ok() };
    eventually("it is found", found).await;
}

#[tokio::test]
async fn a_call_whose_answer_was_lost_gives_the_same_answer_again() {
    let ledger = scratch();
    let job = record(1);
    let (id, ticket) = (job.id.to_string(), ticket(1, job.id).id.to_string());
    let fields = super::super::record::fields(&job);
    let args = (&ticket, "inner", &id, 1, "nonce", "", 10, "request", fields);
    let call = ledger.call(script!("take"), args);
    let first = ledger.ask(Lane::Quick, &call).await.unwrap();
    let again = ledger.ask(Lane::Quick, &call).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(ledger.open_tickets().await.unwrap().len(), 1);
    let args = (&id, "queued", ",taken,", "another");
    let call = ledger.call(script!("transition"), args);
    for _ in 0..2 {
        assert_eq!(ledger.number(Lane::Quick, &call).await.unwrap(), 1);
    }
    assert!(!go(&ledger, record(1).id, JobState::Taken, JobState::Queued).await);
}

#[tokio::test]
async fn the_watch_ends_with_the_last_handle() {
    let (server, ledger) = served();
    until_watched(&ledger).await;
    let inner = std::sync::Arc::downgrade(&ledger.inner);
    drop(ledger);
    eventually("it ends", || async { inner.upgrade().is_none() }).await;
    let closed = || async {
        let clients: String = server.command(&["CLIENT", "LIST"]);
        clients.lines().count() == 1
    };
    eventually("its connections are closed", closed).await;
}

/// A proxy before Redis, which drops all bytes of connections that are older than the
/// last change of `swallows`, and closes no connection.
struct Swallower {
    port: u16,
    swallows: Arc<AtomicU64>,
}

impl Swallower {
    async fn before(server: &RedisServer) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let swallows = Arc::new(AtomicU64::new(0));
        let (to, age) = (server.url().port().unwrap(), swallows.clone());
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
                let ((near_in, near_out), (far_in, far_out)) =
                    (near.into_split(), far.into_split());
                let made = age.load(Ordering::Relaxed);
                tokio::spawn(pass(near_in, far_out, age.clone(), made));
                tokio::spawn(pass(far_in, near_out, age.clone(), made));
            }
        });
        Self { port, swallows }
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, age: Arc<AtomicU64>, made: u64) {
    let mut buffer = [0; 4096];
    while let Ok(bytes @ 1..) = from.read(&mut buffer).await {
        if age.load(Ordering::Relaxed) == made {
            let _ = to.write_all(&buffer[..bytes]).await;
        }
    }
}

#[tokio::test]
async fn a_connection_that_swallows_everything_is_replaced() {
    let server = RedisServer::start();
    let between = Swallower::before(&server).await;
    let ledger = on(&server, |config| {
        config.timeout = Duration::from_millis(300);
        config.address.url.set_port(Some(between.port)).unwrap();
    });
    take(&ledger, 1).await;
    between.swallows.fetch_add(1, Ordering::Relaxed);
    let silent = ledger.job(record(1).id).await;
    assert!(matches!(silent, Err(LedgerError::Away(_))), "{silent:?}");
    let answers = || async { ledger.job(record(1).id).await.is_ok() };
    eventually("it asks on a new connection", answers).await;
}
