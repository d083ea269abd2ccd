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

/// The settings of a worker.
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// How many attempts a job has before it is a dead letter. The bridge must have
    /// the same number.
    pub max_attempts: u32,
    /// How long a prover may take for a job, by kind.
    pub deadlines: Deadlines,
    /// How long the slot waits for a prover beyond the job's deadline, and how long
    /// a prover may take to end after it was cancelled.
    pub patience: Duration,
    /// How long a running proof may still take when the worker drains. `grace` and
    /// `patience` together must fit the time that the process has to end.
    pub grace: Duration,
    /// How many failures in a row make a slot stop consuming until its prover has
    /// proved a self-test.
    pub failures_in_a_row: u32,
    /// The longest pause before an operation is tried again.
    pub longest_pause: Duration,
    /// Admits slots by the memory that is free; `None`: admits every slot.
    pub admission: Option<Arc<Admission>>,
    /// Starts a slot's prover before the slot starts consuming, instead of with the
    /// slot's first job.
    pub start_provers: bool,
    /// Counts the slots that are ready for jobs.
    pub readiness: Readiness,
}

/// Counts the slots of a worker that consume from the queue or prove a job. Clones
/// share the count.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    slots: Arc<AtomicUsize>,
    ever: Arc<AtomicBool>,
}

/// A slot that counts as ready until this value is dropped.
#[derive(Debug)]
pub(crate) struct ReadySlot(Readiness);

impl Readiness {
    /// How many slots are ready now.
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

/// How long a prover may take for each kind of job before the worker treats the
/// prover as hung. Key generation at the first job of a kind is included.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// The deadline of claims, which have small circuits.
    pub claim: Duration,
    /// The deadline of verification keys.
    pub vk: Duration,
    /// The deadline of rollups and of every other kind.
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
    /// The same deadline for every kind.
    pub fn all(deadline: Duration) -> Self {
        Self {
            claim: deadline,
            vk: deadline,
            rollup: deadline,
        }
    }

    /// The longest deadline. The broker must let a worker hold a job for longer.
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

/// The services that all slots of a worker share.
#[derive(Debug, Clone)]
pub struct WorkerDeps {
    /// The broker, which delivers jobs and takes results.
    pub broker: Arc<dyn Broker>,
    /// The ledger, which stores large requests and results.
    pub ledger: Arc<dyn Ledger>,
    /// Receives the events of the worker's jobs.
    pub events: Events,
}

/// One slot of a worker: it proves one job at a time.
pub struct Slot {
    /// The slot's name, unique in the fleet: `worker-3/0`. A retried job avoids the
    /// slots that failed it, by this name.
    pub name: String,
    /// The topics whose jobs the slot proves, the preferred topic first.
    pub topics: Vec<Topic>,
    /// The slot's prover.
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
    /// Cancelled: slots claim no more, finish jobs that fit the grace, and requeue
    /// the others.
    pub drain: CancellationToken,
    /// Cancelled: slots requeue their jobs at once. Implies a drain.
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
