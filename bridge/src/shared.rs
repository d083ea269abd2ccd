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

use super::{
    BridgeConfig, BridgeDeps, local::Callers, rollups::Rollups, stats::Counters, traces::Traces,
};
use crate::falafel::{Client, LeaseKeeper, Links};
use zkwhirl_broker_adapter::Control;
use zkwhirl_job::clock::Backoff;
use zkwhirl_ledger::{JobRecord, Membership, events::What};

/// Answers that are on their way to one upstream at once.
const POSTS: usize = 16;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: BridgeConfig,
    pub(super) deps: BridgeDeps,
    pub(super) leases: LeaseKeeper,
    pub(super) links: Links,
    pub(super) outlets: HashMap<String, Outlet>,
    pub(super) pumps: [mpsc::Sender<JobRecord>; 2],
    /// Jobs that wait for their publishing.
    pub(super) pumped: Guarded<HashSet<JobId>>,
    /// Tickets whose answer is on its way.
    pub(super) answering: Guarded<HashSet<TicketId>>,
    /// Tickets that this bridge pings.
    pub(super) pinged: Guarded<HashSet<TicketId>>,
    /// Tickets that are pinged and not yet in the ledger.
    pub(super) taking: Guarded<HashSet<TicketId>>,
    /// This bridge's place among those of the ledger; `None` while it has none.
    pub(super) member: Guarded<Option<Membership>>,
    /// Asks for a comparison of ledger and broker before its time.
    pub(super) compare: Notify,
    /// Tickets by which upstreams are asked whether they remember.
    pub(super) probes: Guarded<HashMap<TicketId, Arc<Notify>>>,
    /// Who in this process waits for an answer.
    pub(super) callers: Callers,
    pub(super) counters: Counters,
    /// Rollups under way, for the figures alone.
    pub(super) rollups: Guarded<Rollups>,
    pub(super) traces: Guarded<Traces>,
    pub(super) tasks: TaskTracker,
    pub(super) stop: CancellationToken,
    /// Cancelled before `stop`, or with it: nothing new is taken.
    pub(super) closed: CancellationToken,
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

    /// Tells workers to stop proving a job. Best effort, in the background:
    /// one that does not hear it works in vain.
    pub(super) fn cancel(&self, job: JobId) {
        let broker = self.deps.broker.clone();
        self.tasks.spawn(async move {
            if let Err(error) = broker.send_control(&Control::Cancel { job }).await {
                tracing::debug!(job = %job, "cannot tell workers to stop: {error}");
            }
        });
    }

    /// Queues a job for publishing, in order; once, however often it is asked.
    /// A verification key that is known is answered instead.
    pub(super) async fn pump(self: &Arc<Self>, job: &JobRecord) {
        let Some(kind) = job.kind else {
            return;
        };
        if !self.pumped.lock().insert(job.id) {
            return;
        }
        if !self.may_know(kind) {
            self.push(job.clone(), kind.topic()).await;
            return;
        }
        let (shared, job) = (self.clone(), job.clone());
        // In the background: the look may take time, the poll must go on.
        self.tasks.spawn(async move {
            match shared.answer_from_keystore(&job).await {
                Some(false) => shared.push(job, kind.topic()).await,
                Some(true) | None => {
                    shared.pumped.lock().remove(&job.id);
                }
            }
        });
    }

    async fn push(&self, job: JobRecord, topic: Topic) {
        let id = job.id;
        let pump = match topic {
            Topic::Inner => &self.pumps[0],
            Topic::Outer => &self.pumps[1],
        };
        if pump.send(job).await.is_err() {
            // The bridge stops; the job is taken up again at the next start.
            self.pumped.lock().remove(&id);
        }
    }
}
