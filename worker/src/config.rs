//! The settings and parts of a worker.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio_util::sync::CancellationToken;
use zkwhirl_broker_adapter::Broker;
use zkwhirl_job::{Kind, Topic};
use zkwhirl_ledger::{Events, Ledger};
use zkwhirl_prover::Prover;

use crate::Admission;

/// What can be set about a worker.
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// Attempts before a job is a dead letter. The bridge must have the same.
    pub max_attempts: u32,
    /// How long a prover may take.
    pub deadlines: Deadlines,
    /// How much longer than its deadline a prover that does not end by itself
    /// is waited for, and how long one may take to end when it is cancelled.
    pub patience: Duration,
    /// How long a running proof may still take when the worker drains. It must
    /// be below what the process is given, by `patience`.
    pub grace: Duration,
    /// Failures in a row after which a slot leaves the queue until its prover
    /// has proved a self-test.
    pub failures_in_a_row: u32,
    /// The longest pause before something is tried again.
    pub longest_pause: Duration,
    /// Admits slots by the memory that is free; `None`: admits every slot.
    pub admission: Option<Arc<Admission>>,
    /// Start a slot's prover before the slot first joins the queue, and not
    /// with its first job.
    pub start_provers: bool,
    /// Counts the slots that are ready for jobs.
    pub readiness: Readiness,
}

/// How many slots of a worker are in the queue or prove a job. Clones are the
/// same.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    slots: Arc<AtomicUsize>,
    ever: Arc<AtomicBool>,
}

/// A slot that is ready while this lives.
#[derive(Debug)]
pub(crate) struct ReadySlot(Readiness);

impl Readiness {
    /// The slots that are ready now.
    pub fn slots(&self) -> usize {
        self.slots.load(Ordering::Relaxed)
    }

    /// Whether a slot was ever ready.
    pub fn has_started(&self) -> bool {
        self.ever.load(Ordering::Relaxed)
    }

    pub(crate) fn one_more(&self) -> ReadySlot {
        self.slots.fetch_add(1, Ordering::Relaxed);
        self.ever.store(true, Ordering::Relaxed);
        ReadySlot(self.clone())
    }
}

impl Drop for ReadySlot {
    fn drop(&mut self) {
        self.0.slots.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            max_attempts: 5,
            deadlines: Deadlines::default(),
            patience: Duration::from_secs(10),
            grace: Duration::from_secs(60),
            failures_in_a_row: 2,
            longest_pause: Duration::from_secs(60),
            admission: None,
            start_provers: false,
            readiness: Readiness::default(),
        }
    }
}

/// How long a prover may take for each kind before it counts as hung. Key
/// generation at the first job of a kind is included.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// Claims: small circuits.
    pub claim: Duration,
    /// Verification keys.
    pub vk: Duration,
    /// Rollups, and every other kind.
    pub rollup: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(60 * n);
        Self {
            claim: minutes(15),
            vk: minutes(30),
            rollup: minutes(60),
        }
    }
}

impl Deadlines {
    /// The same for every kind.
    pub fn all(deadline: Duration) -> Self {
        Self {
            claim: deadline,
            vk: deadline,
            rollup: deadline,
        }
    }

    /// The longest of them: what the broker must let a worker hold a job for.
    pub fn longest(&self) -> Duration {
        self.claim.max(self.vk).max(self.rollup)
    }

    /// The deadline of a kind.
    pub fn of(&self, kind: Kind) -> Duration {
        match kind {
            Kind::Claim => self.claim,
            _ if kind.is_vk() => self.vk,
            _ => self.rollup,
        }
    }
}

/// What all slots of a worker work with.
#[derive(Debug, Clone)]
pub struct WorkerDeps {
    /// Where jobs come from and results go.
    pub broker: Arc<dyn Broker>,
    /// Where large requests and results are.
    pub ledger: Arc<dyn Ledger>,
    /// The events of the worker's jobs.
    pub events: Events,
}

/// One slot of a worker: it proves one job at a time.
pub struct Slot {
    /// Its name, unique in the fleet: `worker-3/0`. Retries avoid a slot of
    /// this name.
    pub name: String,
    /// What it proves; where several topics have work, the first goes first.
    pub topics: Vec<Topic>,
    /// What it proves with.
    pub prover: Box<dyn Prover>,
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot")
            .field("name", &self.name)
            .field("topics", &self.topics)
            .field("prover", &self.prover.name())
            .finish()
    }
}

/// The tokens that stop a worker.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// Claim no more; finish what fits the grace, hand back the rest.
    pub drain: CancellationToken,
    /// Hand back everything now. Implies a drain.
    pub abort: CancellationToken,
}

impl Stop {
    pub(crate) fn is_draining(&self) -> bool {
        self.drain.is_cancelled() || self.abort.is_cancelled()
    }

    /// Waits until either token is cancelled.
    pub(crate) async fn draining(&self) {
        tokio::select! {
            () = self.drain.cancelled() => {}
            () = self.abort.cancelled() => {}
        }
    }

    /// Waits for `work`; `None`: a token was cancelled first.
    pub(crate) async fn unless_draining<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            () = self.draining() => None,
            done = work => Some(done),
        }
    }
}
