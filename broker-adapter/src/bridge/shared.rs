//! What the bridge's tasks have in common.

use std::{
    collections::{HashMap, HashSet},
    fmt::Display,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use zkwhirl_job::{JobId, TicketId, Topic};

use super::{BridgeConfig, BridgeDeps, stats::Counters};
use crate::{
    clock::Backoff,
    events::What,
    falafel::{Client, LeaseKeeper, Links},
    ledger::JobRecord,
};

/// Answers that are on their way to one upstream at once.
const POSTS: usize = 16;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: BridgeConfig,
    pub(super) deps: BridgeDeps,
    pub(super) leases: LeaseKeeper,
    pub(super) links: Links,
    pub(super) outlets: HashMap<String, Outlet>,
    pub(super) pumps: [mpsc::Sender<JobId>; 2],
    /// Jobs that wait for their publishing.
    pub(super) pumped: Guarded<HashSet<JobId>>,
    /// Tickets whose answer is on its way.
    pub(super) answering: Guarded<HashSet<TicketId>>,
    /// Tickets that this bridge pings.
    pub(super) pinged: Guarded<HashSet<TicketId>>,
    /// Upstreams that are asked whether they remember, by name.
    pub(super) probes: Guarded<HashMap<String, Arc<Notify>>>,
    pub(super) counters: Counters,
    pub(super) tasks: TaskTracker,
    pub(super) stop: CancellationToken,
}

/// Where answers to one upstream go.
#[derive(Debug)]
pub(super) struct Outlet {
    pub(super) client: Client,
    pub(super) posts: Arc<Semaphore>,
}

impl Outlet {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            posts: Arc::new(Semaphore::new(POSTS)),
        }
    }
}

/// A mutex that is never held over an await and outlives panics.
#[derive(Debug, Default)]
pub(super) struct Guarded<T>(Mutex<T>);

impl<T> Guarded<T> {
    pub(super) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// Calls until it succeeds, with pauses; `None`: the bridge stops.
    pub(super) async fn insist<T, E, F, Fut>(&self, what: &str, call: F) -> Option<T>
    where
        E: Display,
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let longest = self.config.timing.longest_pause;
        let mut backoff = Backoff::new(Duration::from_millis(20), longest);
        let mut failures = 0u64;
        loop {
            let error = match call().await {
                Ok(value) => return Some(value),
                Err(error) => error,
            };
            failures += 1;
            if failures.is_power_of_two() {
                tracing::warn!(failures, "cannot {what} yet: {error}");
            }
            tokio::select! {
                () = self.stop.cancelled() => return None,
                () = tokio::time::sleep(backoff.pause()) => {}
            }
        }
    }

    pub(super) fn emit(&self, job: &JobRecord, what: What) {
        self.deps.events.emit(job.id, job.kind, job.rollup_id, what);
    }

    /// Keeps a ticket alive from now on.
    pub(super) fn open_lease(&self, ticket: TicketId, upstream: &str) {
        self.pinged.lock().insert(ticket);
        self.leases.open(ticket, upstream);
    }

    /// Lets a ticket go.
    pub(super) fn close_lease(&self, ticket: TicketId) {
        self.leases.close(ticket);
        self.pinged.lock().remove(&ticket);
    }

    /// Queues a job for publishing, in order; once, however often it is asked.
    pub(super) async fn pump(&self, job: &JobRecord) {
        let Some(kind) = job.kind else {
            return;
        };
        if !self.pumped.lock().insert(job.id) {
            return;
        }
        let pump = match kind.topic() {
            Topic::Inner => &self.pumps[0],
            Topic::Outer => &self.pumps[1],
        };
        if pump.send(job.id).await.is_err() {
            // The bridge stops; the job is taken up again at the next start.
            self.pumped.lock().remove(&job.id);
        }
    }
}
