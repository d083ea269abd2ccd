//! The broker in memory: demo mode, and the model that the others must match.
//!
//! It really redelivers, delays, counts and buries. Delays obey tokio's clock,
//! so tests can pause it. What it cannot do is survive its process; the bridge
//! rebuilds it from the ledger and from Falafel.

mod consumers;
mod control;
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
use tokio::sync::{Notify, broadcast};
use zkwhirl_job::{
    JobId, Topic,
    envelope::{JobEnvelope, ResultEnvelope},
};
use zkwhirl_telemetry::catalogue::process::BROKER_CONNECTED;

use super::{
    Broker, BrokerError, Control, ControlConsumer, DELIVERY_LIMIT, DeadLetter, Depth, JobConsumer,
    ResultConsumer, Rung,
};
use consumers::Consumer;
use queue::State;
use results::Results;

/// What can be set about the embedded broker.
#[derive(Debug, Clone)]
pub struct EmbeddedBrokerConfig {
    /// How long a job waits on each rung.
    pub delays: [Duration; 3],
    /// Deliveries that may end without a settlement before the job is dead.
    pub delivery_limit: u32,
    /// Jobs that a topic holds, ready or on a rung; results that are held.
    pub queue_limit: usize,
    /// Dead letters that are held.
    pub dead_limit: usize,
    /// How long a retried job is kept for a worker that has not failed it,
    /// while such a one is live. A second opinion is kept for as long as that.
    pub patience: Duration,
}

impl Default for EmbeddedBrokerConfig {
    fn default() -> Self {
        Self {
            delays: Rung::ALL.map(Rung::delay),
            delivery_limit: DELIVERY_LIMIT,
            queue_limit: 16_384,
            dead_limit: 4_096,
            patience: Duration::from_secs(30),
        }
    }
}

/// The broker in memory. Clones are the same broker.
#[derive(Debug, Clone)]
pub struct EmbeddedBroker {
    shared: Arc<Shared>,
}

/// What the broker, its consumers and its receipts hold in common.
#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    results: Mutex<Results>,
    changed: Notify,
    words: broadcast::Sender<Control>,
    away: AtomicBool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn results(&self) -> MutexGuard<'_, Results> {
        self.results.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reachable(&self) -> Result<(), BrokerError> {
        if self.away.load(Ordering::Relaxed) {
            return Err(BrokerError::Away("the test took it away".into()));
        }
        Ok(())
    }
}

impl Default for EmbeddedBroker {
    fn default() -> Self {
        Self::new(EmbeddedBrokerConfig::default())
    }
}

impl EmbeddedBroker {
    /// An empty broker.
    pub fn new(config: EmbeddedBrokerConfig) -> Self {
        let limit = config.queue_limit;
        for connection in ["publisher", "consumer"] {
            BROKER_CONNECTED.set([connection], 1.0);
        }
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(State::new(config)),
                results: Mutex::new(Results::new(limit)),
                changed: Notify::new(),
                words: broadcast::Sender::new(control::BACKLOG),
                away: AtomicBool::new(false),
            }),
        }
    }

    /// Takes a job's delivery away from whoever holds it, as a broken
    /// connection would: it is redelivered, and the holder's settlement will
    /// return `Ok(false)`. False: nobody holds it.
    pub fn revoke(&self, job: JobId) -> bool {
        let revoked = self.shared.state().revoke(job);
        self.shared.changed.notify_waiters();
        revoked
    }

    /// Forgets every message, as a broker whose disk was lost.
    pub fn wipe(&self) {
        self.shared.state().wipe();
        self.shared.results().wipe();
    }

    /// While away, every call fails with [`BrokerError::Away`].
    #[cfg(any(test, feature = "test-util"))]
    pub fn set_away(&self, away: bool) {
        self.shared.away.store(away, Ordering::Relaxed);
        self.shared.changed.notify_waiters();
    }
}

#[async_trait]
impl Broker for EmbeddedBroker {
    async fn publish(&self, job: &JobEnvelope, after: Option<Rung>) -> Result<(), BrokerError> {
        self.shared.reachable()?;
        self.shared.state().publish(job.clone(), after)?;
        self.shared.changed.notify_waiters();
        Ok(())
    }

    async fn subscribe(
        &self,
        topics: &[Topic],
        worker: &str,
    ) -> Result<Box<dyn JobConsumer>, BrokerError> {
        self.shared.reachable()?;
        Ok(Box::new(Consumer::join(&self.shared, topics, worker)))
    }

    async fn publish_result(&self, result: &ResultEnvelope) -> Result<(), BrokerError> {
        self.shared.reachable()?;
        self.shared.results().publish(result.clone())?;
        self.shared.changed.notify_waiters();
        Ok(())
    }

    async fn results(&self) -> Result<Box<dyn ResultConsumer>, BrokerError> {
        self.shared.reachable()?;
        Ok(Box::new(results::Consumer::join(&self.shared)))
    }

    async fn bury(&self, letter: &DeadLetter) -> Result<(), BrokerError> {
        self.shared.reachable()?;
        self.shared.state().bury(letter.clone())
    }

    async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, BrokerError> {
        self.shared.reachable()?;
        Ok(self.shared.state().dead_letters(limit))
    }

    async fn dead_letter(&self, job: JobId) -> Result<Option<DeadLetter>, BrokerError> {
        self.shared.reachable()?;
        Ok(self.shared.state().dead_letter(job))
    }

    async fn remove_dead(&self, job: JobId) -> Result<bool, BrokerError> {
        self.shared.reachable()?;
        Ok(self.shared.state().remove_dead(job))
    }

    async fn depth(&self, topic: Topic) -> Result<Depth, BrokerError> {
        self.shared.reachable()?;
        Ok(self.shared.state().depth(topic))
    }

    async fn missing(&self, topic: Topic, jobs: &[JobId]) -> Result<Vec<JobId>, BrokerError> {
        self.shared.reachable()?;
        // Jobs first: a job moves from its queue to the results, never back.
        let mut held = self.shared.state().held(topic);
        held.extend(self.shared.results().held());
        Ok(jobs
            .iter()
            .filter(|job| !held.contains(job))
            .copied()
            .collect())
    }

    async fn tell(&self, word: &Control) -> Result<(), BrokerError> {
        self.shared.reachable()?;
        // Nobody may be listening.
        let _ = self.shared.words.send(word.clone());
        Ok(())
    }

    fn listen(&self) -> Box<dyn ControlConsumer> {
        Box::new(control::Listener::new(self.shared.words.subscribe()))
    }
}
