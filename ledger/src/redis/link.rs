//! The connections to Redis: each call ends within its timeout.
//!
//! A call that fails because the connection broke is tried again until its time is up,
//! which is safe because every script may run twice. Redis may still run the call later.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use redis::{
    Client, Cmd, Pipeline, RedisError, RedisResult, ScriptInvocation, Value,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};
use zkwhirl_redis::{RedisAddressError, may_pass, why};
use zkwhirl_telemetry::{
    catalogue::keys::{LEDGER_REQUESTS, LEDGER_SECONDS},
    handle,
};

use super::RedisLedgerConfig;
use crate::LedgerError;
use zkwhirl_job::clock::Backoff;

/// How many small calls may run at once.
const QUICK: usize = 512;
/// How many calls with large values may run at once: with the longest request, 32 MiB.
const BULK: usize = 16;

/// The connection that a call takes: megabytes must not delay a change of state.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lane {
    /// The connection for small values.
    Quick,
    /// The connection for requests and results.
    Bulk,
}

#[derive(Debug)]
pub(super) enum Ask<'a> {
    Script(&'a ScriptInvocation<'a>),
    Command(&'a Cmd),
    Commands(&'a Pipeline),
}

/// Two connections, and counts of the calls on them.
#[derive(Debug)]
pub(super) struct RedisLink {
    lanes: [SharedConnection; 2],
    client: Client,
    timeout: Duration,
    /// How often a call was tried again because the connection broke.
    pub(super) repeats: AtomicU64,
    pub(super) away: AtomicU64,
    took: handle::Histogram,
    /// The counters of calls with an answer, and of calls without.
    results: [handle::Counter; 2],
}

#[derive(Debug)]
struct SharedConnection {
    manager: Mutex<ConnectionManager>,
    permits: Semaphore,
    /// When the connection last gave an answer, or was made.
    answered: Mutex<Instant>,
}

impl RedisLink {
    /// Makes the connections, which connect at the first call.
    pub(super) fn new(config: &RedisLedgerConfig) -> Result<Self, RedisAddressError> {
        let no_runtime = "a redis ledger can only be made inside a tokio runtime";
        tokio::runtime::Handle::try_current().map_err(|_| config.address.unusable(no_runtime))?;
        let client = config.address.client()?;
        let connection = |permits| -> Result<_, RedisAddressError> {
            let manager = manager(&client, config.timeout);
            let manager = manager.map_err(|error| config.address.unusable(error))?;
            Ok(SharedConnection {
                manager: Mutex::new(manager),
                permits: Semaphore::new(permits),
                answered: Mutex::new(Instant::now()),
            })
        };
        Ok(Self {
            lanes: [connection(QUICK)?, connection(BULK)?],
            client,
            timeout: config.timeout,
            repeats: AtomicU64::new(0),
            away: AtomicU64::new(0),
            took: LEDGER_SECONDS.of([]),
            results: ["ok", "error"].map(|result| LEDGER_REQUESTS.of([result])),
        })
    }

    /// Repeats a call until Redis answers or the timeout ends.
    pub(super) async fn ask(&self, lane: Lane, ask: Ask<'_>) -> Result<Value, LedgerError> {
        let started = Instant::now();
        let answer = self.ask_until(started + self.timeout, lane, ask).await;
        self.took.record(started.elapsed());
        let [answered, failed] = &self.results;
        let result = if answer.is_ok() { answered } else { failed };
        result.increment(1);
        answer
    }

    async fn ask_until(
        &self,
        deadline: Instant,
        lane: Lane,
        ask: Ask<'_>,
    ) -> Result<Value, LedgerError> {
        let mut last = None;
        let asked = timeout_at(deadline, self.insist(lane, &ask, &mut last)).await;
        let away = match asked {
            Ok(Ok(value)) => {
                *lock(&self.lanes[lane as usize].answered) = Instant::now();
                return Ok(value);
            }
            Ok(Err(error)) if error.code() == Some("WRONGTYPE") => {
                return Err(LedgerError::Damaged {
                    key: "a key".to_owned(),
                    why: error.to_string(),
                });
            }
            Ok(Err(error)) => LedgerError::Away(why(&error)),
            Err(_) => {
                self.renew(lane);
                let why = last.map_or_else(String::new, |error| format!(": {error}"));
                LedgerError::Away(format!("no answer within {:?}{why}", self.timeout))
            }
        };
        self.away.fetch_add(1, Ordering::Relaxed);
        Err(away)
    }

    async fn insist(
        &self,
        lane: Lane,
        ask: &Ask<'_>,
        last: &mut Option<RedisError>,
    ) -> RedisResult<Value> {
        let lane = &self.lanes[lane as usize];
        // The semaphore is never closed.
        let _permit = lane.permits.acquire().await.ok();
        let mut backoff = Backoff::new(Duration::from_millis(20), Duration::from_millis(250));
        loop {
            let mut connection = lock(&lane.manager).clone();
            let asked = match ask {
                Ask::Script(script) => script.invoke_async(&mut connection).await,
                Ask::Command(command) => command.query_async(&mut connection).await,
                Ask::Commands(commands) => commands.query_async(&mut connection).await,
            };
            match asked {
                Err(error) if may_pass(&error) => *last = Some(error),
                settled => return settled,
            }
            self.repeats.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(backoff.pause()).await;
        }
    }

    /// Replaces a connection that gave no answer for one timeout: a proxy may drop the
    /// bytes, or the connection may lead to a Redis that is no longer the primary.
    fn renew(&self, lane: Lane) {
        let lane = &self.lanes[lane as usize];
        let mut answered = lock(&lane.answered);
        if answered.elapsed() < self.timeout {
            return;
        }
        *answered = Instant::now();
        drop(answered);
        if let Ok(manager) = manager(&self.client, self.timeout) {
            *lock(&lane.manager) = manager;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn manager(client: &Client, timeout: Duration) -> RedisResult<ConnectionManager> {
    // `insist` repeats a call until its timeout ends.
    let settings = ConnectionManagerConfig::new()
        .set_response_timeout(Some(timeout))
        .set_connection_timeout(Some(timeout.min(Duration::from_secs(3))))
        .set_number_of_retries(2)
        .set_min_delay(Duration::from_millis(50))
        .set_max_delay(Duration::from_millis(500))
        .set_pipeline_buffer_size(QUICK);
    ConnectionManager::new_lazy_with_config(client.clone(), settings)
}
