//! The broker on RabbitMQ (3.10 and later), for a fleet.
//!
//! Quorum queues with few arguments and the rest in policies; see `names` for
//! the topology. [`provision`](provision::provision) makes it, everybody else
//! only looks whether it is there. Two connections per process: one publishes,
//! one consumes, because a broker that is low on memory or disk stops reading
//! publishers. Both live on a runtime of their own with one thread, so that no
//! proof can starve their heartbeats; callers may wait on any runtime.
//!
//! What is different from the embedded back-end:
//! * Counts: ready jobs, jobs on rungs and consumers are exact; jobs in flight
//!   come from the management API, which lags by up to two of the broker's
//!   statistics intervals (5 s each by default), and are 0 without it. The age
//!   of the oldest job is not known.
//! * A worker that failed a job leaves it to others by handing it back: once at
//!   once, then over the shortest rung while other consumers are there, three
//!   times in all.
//! * A consumer that waits for several topics is not counted as one while it
//!   holds a job.
//! * Looking at the dead letters takes them for a moment, see `dead`.

mod check;
mod config;
mod consumer;
mod control;
mod dead;
mod depth;
mod error;
mod link;
mod management;
mod message;
mod names;
mod policies;
pub mod provision;
mod publisher;
mod receipt;
mod results;
mod stream;
mod topology;
mod traffic;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::runtime::{Builder, Handle, Runtime};
use zkwhirl_job::{
    JobId, Topic,
    envelope::{JobEnvelope, ResultEnvelope},
};

pub use check::{Finding, Severity};
pub use config::{AmqpConfig, Endpoint, Identity, Limits, Management, UrlError};
pub use control::ControlReceiver;
pub use traffic::Traffic;

pub use super::Control;
use super::{
    Broker, BrokerError, ControlConsumer, DeadLetter, Depth, JobConsumer, ResultConsumer, Rung,
};
use link::Link;
use message::Mail;
use publisher::Publisher;

/// RabbitMQ. Clones share the two connections.
#[derive(Debug, Clone)]
pub struct AmqpBroker {
    shared: Arc<Shared>,
}

/// What the broker, its consumers and its receipts hold in common.
pub(super) struct Shared {
    config: Arc<AmqpConfig>,
    consuming: Link,
    publisher: Publisher,
    mail: Mail,
    letters: dead::Letters,
    counts: depth::Counts,
    handle: Handle,
    /// Ended without waiting when the last holder goes.
    runtime: Option<Runtime>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// How the connections stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmqpStatus {
    /// The host that is consumed from, when there is a connection.
    pub consuming: Option<String>,
    /// The host that is published to, when there is a connection.
    pub publishing: Option<String>,
    /// The broker takes no messages: it is low on memory or disk.
    pub blocked: bool,
    /// Connections that were made so far, both together.
    pub connections: u64,
}

impl AmqpBroker {
    /// Starts connecting, and goes on for as long as the broker lives. Fails
    /// only when no thread can be started.
    pub fn start(config: AmqpConfig) -> Result<Self, BrokerError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(4)
            .thread_name("zkwhirl-amqp")
            .enable_all()
            .build()
            .map_err(|error| BrokerError::Refused(format!("no runtime for AMQP: {error}")))?;
        let handle = runtime.handle().clone();
        let config = Arc::new(config);
        let consuming = Link::start("consumer", config.clone(), &handle);
        let publishing = Link::start("publisher", config.clone(), &handle);
        Ok(Self {
            shared: Arc::new(Shared {
                consuming,
                publisher: Publisher::new(publishing, config.clone(), handle.clone()),
                mail: Mail::new(config.limits.clone()),
                letters: dead::Letters::default(),
                counts: depth::Counts::new(&config)?,
                config,
                handle,
                runtime: Some(runtime),
            }),
        })
    }

    /// Waits for both connections, then looks whether the topology is there.
    /// The error is one sentence that names what is missing.
    pub async fn ready(&self, patience: Duration) -> Result<(), BrokerError> {
        self.shared.consuming.live(patience).await?;
        self.shared.publisher.link().live(patience).await?;
        topology::verify(&self.shared).await
    }

    /// What would hurt later: see [`Finding`]. `longest_job` is the longest
    /// deadline of a job.
    pub async fn check(&self, longest_job: Duration) -> Result<Vec<Finding>, BrokerError> {
        check::check(&self.shared, longest_job).await
    }

    /// Messages among the dead letters; several of one job count as several.
    pub async fn dead_count(&self) -> Result<usize, BrokerError> {
        depth::dead(&self.shared).await
    }

    /// Bytes through the broker, by its statistics, which lag by up to one of
    /// its intervals (5 s by default); `None` without the management API.
    pub async fn traffic(&self) -> Result<Option<Traffic>, BrokerError> {
        traffic::traffic(&self.shared).await
    }

    /// How the connections stand.
    pub fn status(&self) -> AmqpStatus {
        let consuming = self.shared.consuming.now();
        let publishing = self.shared.publisher.link().now();
        let made = |now: &Option<(String, u64)>| now.as_ref().map_or(0, |(_, made)| *made);
        AmqpStatus {
            blocked: self.shared.publisher.link().blocked(),
            connections: made(&consuming) + made(&publishing),
            consuming: consuming.map(|(host, _)| host),
            publishing: publishing.map(|(host, _)| host),
        }
    }

    /// Tells all processes something. Those that are away miss it.
    pub async fn tell(&self, message: &Control) -> Result<(), BrokerError> {
        control::tell(&self.shared, message).await
    }

    /// What processes are told from now on.
    pub fn listen(&self) -> ControlReceiver {
        ControlReceiver::new(self.shared.clone())
    }

    /// Closes both connections in good order. What is held unsettled goes back
    /// to its queue; every later call fails.
    pub async fn close(&self) {
        self.shared.publisher.link().close().await;
        self.shared.consuming.close().await;
    }
}

#[async_trait]
impl Broker for AmqpBroker {
    async fn publish(&self, job: &JobEnvelope, after: Option<Rung>) -> Result<(), BrokerError> {
        let message = self.shared.mail.job(job, after)?;
        self.shared.publisher.send(message).await
    }

    async fn subscribe(
        &self,
        topics: &[Topic],
        worker: &str,
    ) -> Result<Box<dyn JobConsumer>, BrokerError> {
        let joining = consumer::Consumer::join(&self.shared, topics, worker);
        Ok(Box::new(joining.await?))
    }

    async fn publish_result(&self, result: &ResultEnvelope) -> Result<(), BrokerError> {
        let message = self.shared.mail.result(result)?;
        self.shared.publisher.send(message).await
    }

    async fn results(&self) -> Result<Box<dyn ResultConsumer>, BrokerError> {
        let joining = results::Consumer::join(&self.shared);
        Ok(Box::new(joining.await?))
    }

    async fn bury(&self, letter: &DeadLetter) -> Result<(), BrokerError> {
        let message = self.shared.mail.letter(letter)?;
        self.shared.publisher.send(message).await
    }

    async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, BrokerError> {
        let (mut found, _) = self.shared.letters.look(&self.shared, None).await?;
        found.letters.truncate(limit);
        Ok(found.letters)
    }

    async fn dead_letter(&self, job: JobId) -> Result<Option<DeadLetter>, BrokerError> {
        let (found, _) = self.shared.letters.look(&self.shared, None).await?;
        Ok(found.letters.into_iter().find(|letter| letter.id == job))
    }

    async fn remove_dead(&self, job: JobId) -> Result<bool, BrokerError> {
        let (_, removed) = self.shared.letters.look(&self.shared, Some(job)).await?;
        Ok(removed)
    }

    async fn depth(&self, topic: Topic) -> Result<Depth, BrokerError> {
        depth::depth(&self.shared, topic).await
    }

    async fn missing(&self, topic: Topic, jobs: &[JobId]) -> Result<Vec<JobId>, BrokerError> {
        depth::missing(&self.shared, topic, jobs).await
    }

    async fn tell(&self, word: &Control) -> Result<(), BrokerError> {
        AmqpBroker::tell(self, word).await
    }

    fn listen(&self) -> Box<dyn ControlConsumer> {
        Box::new(AmqpBroker::listen(self))
    }
}
