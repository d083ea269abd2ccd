//! The broker in memory: for the demo, and the reference for other back-ends.
//!
//! The embedded broker really redelivers, delays, counts and buries. Delays follow
//! tokio's clock, which tests can pause. The jobs end with the process; the bridge
//! publishes them again from the ledger and from Falafel.

mod consumer;
mod control;
mod dead;
mod members;
mod queue;
mod results;
#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
#[cfg(any(test, feature = "test-util"))]
use bytes::Bytes;
use tokio::sync::{Notify, broadcast};
use zkwhirl_job::{
    JobId, Topic,
    envelope::{JobEnvelope, ResultEnvelope},
};
use zkwhirl_telemetry::catalogue::process::BROKER_CONNECTED;

use super::{
    Broker, BrokerError, Control, ControlConsumer, DELIVERY_LIMIT, DeadLetter, Depth, JobConsumer,
    ResultConsumer, Rung, UNREAD_LIMIT,
};
use consumer::EmbeddedJobConsumer;
use control::EmbeddedControlConsumer;
use queue::JobQueues;
use results::{EmbeddedResultConsumer, ResultQueue};

/// The settings of the embedded broker.
#[derive(Debug, Clone)]
pub struct EmbeddedBrokerConfig {
    /// How long a job waits on each rung.
    pub delays: [Duration; 3],
    /// How many deliveries of a job may end without a settlement, at most.
    pub delivery_limit: u32,
    /// How many jobs a topic holds, ready or on a rung, and how many ready results the
    /// broker holds, at most.
    pub queue_limit: usize,
    /// How many dead letters are held, at most.
    pub dead_limit: usize,
    /// How long a retried job is kept for a worker that has not failed it, while such
    /// a worker is live. An invalid job is kept for as long as such a worker is live.
    pub patience: Duration,
    /// How long an unreadable message waits for a process that can read it before it
    /// becomes a dead letter of the class `version`; 24 hours by default.
    pub unread_limit: Duration,
}

impl Default for EmbeddedBrokerConfig {
    fn default() -> Self {
        Self {
            delays: Rung::ALL.map(Rung::delay),
            delivery_limit: DELIVERY_LIMIT,
            queue_limit: 16_384,
            dead_limit: 4_096,
            patience: Duration::from_secs(30),
            unread_limit: UNREAD_LIMIT,
        }
    }
}

/// The broker in memory. Clones share the queues.
#[derive(Debug, Clone)]
pub struct EmbeddedBroker {
    broker: Arc<MemoryBroker>,
}

/// The state that the broker, its consumers and their deliveries share.
#[derive(Debug)]
struct MemoryBroker {
    jobs: Mutex<JobQueues>,
    results: Mutex<ResultQueue>,
    changed: Notify,
    controls: broadcast::Sender<Control>,
    away: AtomicBool,
}

impl MemoryBroker {
    fn jobs(&self) -> MutexGuard<'_, JobQueues> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn results(&self) -> MutexGuard<'_, ResultQueue> {
        self.results.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reachable(&self) -> Result<&Self, BrokerError> {
        match self.away.load(Ordering::Relaxed) {
            true => Err(BrokerError::Away("the test took it away".into())),
            false => Ok(self),
        }
    }
}

impl Default for EmbeddedBroker {
    fn default() -> Self {
        Self::new(EmbeddedBrokerConfig::default())
    }
}

impl EmbeddedBroker {
    /// Makes an empty broker.
    pub fn new(config: EmbeddedBrokerConfig) -> Self {
        let limit = config.queue_limit;
        for connection in ["publisher", "consumer"] {
            BROKER_CONNECTED.set([connection], 1.0);
        }
        Self {
            broker: Arc::new(MemoryBroker {
                jobs: Mutex::new(JobQueues::new(config)),
                results: Mutex::new(ResultQueue::new(limit)),
                changed: Notify::new(),
                controls: broadcast::Sender::new(control::BACKLOG),
                away: AtomicBool::new(false),
            }),
        }
    }

    /// Takes a job's delivery away from its consumer, as a broken connection would: the
    /// job is redelivered, and the old delivery's settlement returns `Ok(false)`.
    /// Returns false if no consumer holds the job.
    pub fn revoke(&self, job: JobId) -> bool {
        let revoked = self.broker.jobs().revoke(job);
        self.broker.changed.notify_waiters();
        revoked
    }

    /// Drops every message, like a broker whose disk was lost.
    pub fn wipe(&self) {
        self.broker.jobs().wipe();
        self.broker.results().wipe();
    }

    /// Publishes a message body unchanged. `since_ms`: when a process first could not
    /// read the body, in milliseconds since the Unix epoch.
    #[cfg(any(test, feature = "test-util"))]
    pub fn publish_body(&self, topic: Topic, body: Bytes, since_ms: Option<u64>) {
        self.broker.jobs().look(queue::UnreadBody {
            topic,
            bytes: body,
            since_ms,
        });
        self.broker.changed.notify_waiters();
    }

    /// Sets whether every call fails with [`BrokerError::Away`].
    #[cfg(any(test, feature = "test-util"))]
    pub fn set_away(&self, away: bool) {
        self.broker.away.store(away, Ordering::Relaxed);
        self.broker.changed.notify_waiters();
    }
}

#[async_trait]
impl Broker for EmbeddedBroker {
    async fn publish(&self, job: &JobEnvelope, after: Option<Rung>) -> Result<(), BrokerError> {
        let broker = self.broker.reachable()?;
        broker.jobs().publish(job.clone(), after)?;
        broker.changed.notify_waiters();
        Ok(())
    }

    async fn subscribe(
        &self,
        topics: &[Topic],
        worker: &str,
    ) -> Result<Box<dyn JobConsumer>, BrokerError> {
        self.broker.reachable()?;
        let consumer = EmbeddedJobConsumer::join(self.broker.clone(), topics, worker);
        Ok(Box::new(consumer))
    }

    async fn publish_result(&self, result: &ResultEnvelope) -> Result<(), BrokerError> {
        let broker = self.broker.reachable()?;
        broker.results().publish(result.clone())?;
        broker.changed.notify_waiters();
        Ok(())
    }

    async fn results(&self) -> Result<Box<dyn ResultConsumer>, BrokerError> {
        self.broker.reachable()?;
        let consumer = EmbeddedResultConsumer::join(self.broker.clone());
        Ok(Box::new(consumer))
    }

    async fn bury(&self, letter: &DeadLetter) -> Result<(), BrokerError> {
        self.broker.reachable()?.jobs().bury(letter)
    }

    async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, BrokerError> {
        let jobs = self.broker.reachable()?.jobs();
        Ok(jobs.dead.iter().take(limit).cloned().collect())
    }

    async fn dead_letter(&self, job: JobId) -> Result<Option<DeadLetter>, BrokerError> {
        Ok(self.broker.reachable()?.jobs().dead.find(job).cloned())
    }

    async fn remove_dead(&self, job: JobId) -> Result<bool, BrokerError> {
        Ok(self.broker.reachable()?.jobs().dead.remove(job))
    }

    async fn depth(&self, topic: Topic) -> Result<Depth, BrokerError> {
        Ok(self.broker.reachable()?.jobs().depth(topic))
    }

    async fn missing(&self, topic: Topic, jobs: &[JobId]) -> Result<Vec<JobId>, BrokerError> {
        let broker = self.broker.reachable()?;
        // Jobs before results: a job moves from its queue to the results, never back.
        let mut held = broker.jobs().held(topic);
        held.extend(broker.results().held());
        let missing = jobs.iter().filter(|job| !held.contains(job));
        Ok(missing.copied().collect())
    }

    async fn send_control(&self, message: &Control) -> Result<(), BrokerError> {
        // A process without listeners is no error.
        let _ = self.broker.reachable()?.controls.send(message.clone());
        Ok(())
    }

    fn control_messages(&self) -> Box<dyn ControlConsumer> {
        Box::new(EmbeddedControlConsumer(self.broker.controls.subscribe()))
    }
}
