//! The broker on RabbitMQ (3.10 and later), for a fleet.
//!
//! All queues are quorum queues, whose limits are in policies; see `names` for the
//! topology. [`provision`](provision::provision) makes the topology, the other
//! roles check that the topology exists. Two connections per process: one
//! publishes, one consumes, because a broker that is low on memory or disk stops
//! reading publishers. Both live on a runtime of their own with one thread, so
//! that no proof can starve their heartbeats; callers may wait on any runtime.
//!
//! Differences to the embedded back-end:
//! * Counts: ready jobs, jobs on rungs and consumers are exact; jobs in flight
//!   come from the management API, which lags by up to two of the broker's
//!   statistics intervals (5 s each by default), and are 0 without it. The age
//!   of the oldest job is not known.
//! * A worker that failed a job passes the job on by requeueing it: first at once,
//!   then over the shortest rung while the queue has other consumers, three times
//!   in all.
//! * A worker that consumes several topics does not count as a consumer while it
//!   holds a job.
//! * A scan of the dead letters holds them unacknowledged, see `dead`.

mod channel;
mod check;
mod config;
mod consumer;
mod control;
mod dead;
mod depth;
mod error;
mod headers;
mod held;
mod incoming;
mod letter;
mod link;
mod management;
mod message;
mod names;
mod policies;
pub mod provision;
mod publisher;
mod results;
mod topology;
mod unread;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::Mutex,
};
use zkwhirl_job::{
    JobId, Topic,
    envelope::{JobEnvelope, ResultEnvelope},
};

pub use check::{Finding, Severity};
pub use config::{AmqpConfig, Endpoint, Identity, Limits, Management, UrlError};
pub use depth::Traffic;

use super::{
    Broker, BrokerError, Control, ControlConsumer, DeadLetter, Depth, JobConsumer, ResultConsumer,
    Rung,
};
use control::AmqpControlConsumer;
use link::AmqpLink;
use management::ManagementApi;
use message::OutgoingMessage;
use publisher::AmqpPublisher;

/// The broker on RabbitMQ. Clones share the two connections.
#[derive(Debug, Clone)]
pub struct AmqpBroker {
    client: Arc<AmqpClient>,
}

/// The state that the broker, its consumers and their deliveries share.
struct AmqpClient {
    config: Arc<AmqpConfig>,
    consuming: AmqpLink,
    publisher: Arc<AmqpPublisher>,
    /// Locked during a scan of the dead letters.
    one_scan: Mutex<()>,
    api: Option<ManagementApi>,
    asked: depth::AskedJobs,
    handle: Handle,
    /// The runtime of AMQP, shut down without waiting when the client is dropped.
    runtime: Option<Runtime>,
}

impl fmt::Debug for AmqpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AmqpClient({:?})", self.config)
    }
}

impl Drop for AmqpClient {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The state of the two connections to RabbitMQ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmqpStatus {
    /// The host of the consuming connection, if connected.
    pub consuming: Option<String>,
    /// The host of the publishing connection, if connected.
    pub publishing: Option<String>,
    /// The broker takes no messages: it is low on memory or disk.
    pub blocked: bool,
    /// How many connections were made so far, of both kinds together.
    pub connections: u64,
}

impl AmqpBroker {
    /// Starts to connect, and connects again after every loss until the broker is
    /// dropped. Fails only if a thread or the HTTP client cannot be made.
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
        let consuming = AmqpLink::start("consumer", config.clone(), &handle);
        let publishing = AmqpLink::start("publisher", config.clone(), &handle);
        Ok(Self {
            client: Arc::new(AmqpClient {
                consuming,
                publisher: AmqpPublisher::new(publishing, config.clone(), handle.clone()),
                one_scan: Mutex::default(),
                api: config
                    .management
                    .as_ref()
                    .map(ManagementApi::new)
                    .transpose()?,
                asked: depth::AskedJobs::default(),
                config,
                handle,
                runtime: Some(runtime),
            }),
        })
    }

    /// Waits for each connection for at most `patience`, then checks the topology.
    /// The error names the exchanges and queues that are missing.
    pub async fn ready(&self, patience: Duration) -> Result<(), BrokerError> {
        self.client.consuming.live(patience).await?;
        self.client.publisher.link.live(patience).await?;
        topology::verify(&self.client).await
    }

    /// Checks RabbitMQ's version and the settings of the queues: see [`Finding`].
    /// `longest_job` is the longest deadline of a job.
    pub async fn check(&self, longest_job: Duration) -> Result<Vec<Finding>, BrokerError> {
        check::check(&self.client, longest_job).await
    }

    /// Reads the vhost's bytes from the broker's statistics, which lag by up to one
    /// interval (5 s by default). `None`: there is no management API or no vhost.
    pub async fn traffic(&self) -> Result<Option<Traffic>, BrokerError> {
        depth::traffic(&self.client).await
    }

    /// The present state of both connections.
    pub fn status(&self) -> AmqpStatus {
        let consuming = self.client.consuming.now();
        let publishing = self.client.publisher.link.now();
        let made = |now: &Option<(String, u64)>| now.as_ref().map_or(0, |(_, made)| *made);
        AmqpStatus {
            blocked: self.client.publisher.link.blocked(),
            connections: made(&consuming) + made(&publishing),
            consuming: consuming.map(|(host, _)| host),
            publishing: publishing.map(|(host, _)| host),
        }
    }

    /// Closes both connections with an AMQP close. Unsettled messages go back to
    /// their queues; every later call fails.
    pub async fn close(&self) {
        self.client.publisher.link.close().await;
        self.client.consuming.close().await;
    }
}

#[async_trait]
impl Broker for AmqpBroker {
    async fn publish(&self, job: &JobEnvelope, after: Option<Rung>) -> Result<(), BrokerError> {
        let message = OutgoingMessage::job(job, after)?;
        self.client.publisher.send(message).await
    }

    async fn subscribe(
        &self,
        topics: &[Topic],
        worker: &str,
    ) -> Result<Box<dyn JobConsumer>, BrokerError> {
        let joining = consumer::AmqpJobConsumer::join(&self.client, topics, worker);
        Ok(Box::new(joining.await?))
    }

    async fn publish_result(&self, result: &ResultEnvelope) -> Result<(), BrokerError> {
        let message = OutgoingMessage::result(result)?;
        self.client.publisher.send(message).await
    }

    async fn results(&self) -> Result<Box<dyn ResultConsumer>, BrokerError> {
        let joining = results::AmqpResultConsumer::join(&self.client);
        Ok(Box::new(joining.await?))
    }

    async fn bury(&self, letter: &DeadLetter) -> Result<(), BrokerError> {
        let message = OutgoingMessage::letter(letter)?;
        self.client.publisher.send(message).await
    }

    async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, BrokerError> {
        let mut found = self.client.scan(None).await?;
        found.letters.truncate(limit);
        Ok(found.letters)
    }

    async fn dead_letter(&self, job: JobId) -> Result<Option<DeadLetter>, BrokerError> {
        let found = self.client.scan(None).await?;
        Ok(found.letters.into_iter().find(|letter| letter.id == job))
    }

    async fn remove_dead(&self, job: JobId) -> Result<bool, BrokerError> {
        Ok(self.client.scan(Some(job)).await?.removed)
    }

    async fn depth(&self, topic: Topic) -> Result<Depth, BrokerError> {
        depth::depth(&self.client, topic).await
    }

    async fn missing(&self, topic: Topic, jobs: &[JobId]) -> Result<Vec<JobId>, BrokerError> {
        depth::missing(&self.client, topic, jobs).await
    }

    async fn send_control(&self, message: &Control) -> Result<(), BrokerError> {
        control::send(&self.client, message).await
    }

    fn control_messages(&self) -> Box<dyn ControlConsumer> {
        Box::new(AmqpControlConsumer::new(self.client.clone()))
    }
}
