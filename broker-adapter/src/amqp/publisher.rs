//! Publishes with confirms: `Ok` means that the message is in a queue, on disk.

use std::sync::Arc;

use lapin::{
    Channel, Confirmation,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use tokio::{
    runtime::Handle,
    sync::{Mutex, OwnedMutexGuard, Semaphore},
    time::{Duration, Instant, timeout},
};
use zkwhirl_telemetry::catalogue::process::PUBLISH_SECONDS;

use super::{
    config::AmqpConfig,
    error::{away, shuts_down},
    link::AmqpLink,
    message::OutgoingMessage,
    names::{CONTROL, DEAD_QUEUE, RESULTS_QUEUE},
    topology::look_at_queue,
};
use crate::BrokerError;

/// How many messages may wait for their confirm at the same time, at most.
const WINDOW: u32 = 64;
/// For each of these bytes a message counts as one more message of the window:
/// 7 messages of one MiB fill the window.
const SLOT_BYTES: usize = 128 << 10;
/// How long the search for the reason of a refused message may take.
const REFUSED: Duration = Duration::from_secs(2);

/// Publishes with confirms on a connection of its own: a broker that is low on
/// memory or disk stops reading publishers, and acks must not stop too.
#[derive(Debug)]
pub(super) struct AmqpPublisher {
    pub(super) link: AmqpLink,
    config: Arc<AmqpConfig>,
    runtime: Handle,
    window: Semaphore,
    channel: Mutex<Option<Channel>>,
    /// Keeps the order of the calls: tasks of the runtime could overtake each other.
    send_lock: Arc<Mutex<()>>,
}

/// The lock that a call holds until its message is written.
type SendLock = OwnedMutexGuard<()>;

impl AmqpPublisher {
    pub(super) fn new(link: AmqpLink, config: Arc<AmqpConfig>, runtime: Handle) -> Arc<Self> {
        Arc::new(Self {
            link,
            config,
            runtime,
            window: Semaphore::new(WINDOW as usize),
            channel: Mutex::new(None),
            send_lock: Arc::default(),
        })
    }

    /// Publishes a message and waits for its confirm; messages are sent in the order of
    /// the calls. A caller that stops waiting does not stop a publishing that has begun.
    pub(super) async fn send(
        self: &Arc<Self>,
        message: OutgoingMessage,
    ) -> Result<(), BrokerError> {
        let limit = self.config.confirm_timeout;
        let Ok(lock) = timeout(limit, self.send_lock.clone().lock_owned()).await else {
            let why = format!("the messages before this one were not sent within {limit:?}");
            return Err(BrokerError::Away(why));
        };
        let this = self.clone();
        let sending = async move { this.send_locked(&message, lock).await };
        let sent = self.runtime.spawn(sending).await;
        sent.unwrap_or_else(|_| Err(shuts_down()))
    }

    async fn send_locked(
        &self,
        message: &OutgoingMessage,
        lock: SendLock,
    ) -> Result<(), BrokerError> {
        let (limit, started) = (self.config.confirm_timeout, Instant::now());
        let Ok(confirmed) = timeout(limit, self.confirmed(message, lock)).await else {
            // Messages of this channel may or may not have been sent.
            self.channel.lock().await.take();
            let why = if self.link.blocked() {
                "the broker takes no messages: it is low on memory or disk".to_owned()
            } else {
                format!("no confirm from {} within {limit:?}", message.exchange)
            };
            return Err(BrokerError::Away(why));
        };
        if confirmed.is_ok() {
            let queue = match message.queue {
                RESULTS_QUEUE => "results",
                _ => "jobs",
            };
            PUBLISH_SECONDS.record([queue], started.elapsed());
        }
        confirmed
    }

    async fn confirmed(
        &self,
        message: &OutgoingMessage,
        lock: SendLock,
    ) -> Result<(), BrokerError> {
        let slots = (1 + message.body.len() / SLOT_BYTES).min(WINDOW as usize) as u32;
        let _slots = self.window.acquire_many(slots).await;
        let channel = self.channel().await?;
        let what = || format!("publishing to {}", message.exchange);
        let options = BasicPublishOptions {
            mandatory: message.exchange != CONTROL,
            ..BasicPublishOptions::default()
        };
        let sending = channel.basic_publish(
            message.exchange.into(),
            message.key.as_str().into(),
            options,
            &message.body,
            message.properties.clone(),
        );
        let sent = sending.await.map_err(|error| away(&what(), &error))?;
        drop(lock);
        let confirmation = sent.await.map_err(|error| away(&what(), &error))?;
        if confirmation == Confirmation::Nack(None) {
            let refused = self.refused(message).await;
            if !matches!(refused, BrokerError::Full { .. }) {
                self.leave(&channel).await;
            }
            return Err(refused);
        }
        judge(confirmation, message)
    }

    /// Finds out why the broker did not take a message: the queue is full, or most
    /// nodes of the queue are down.
    async fn refused(&self, message: &OutgoingMessage) -> BrokerError {
        let (queue, limits) = (message.queue, &self.config.limits);
        let limit = match queue {
            DEAD_QUEUE => limits.dead_limit,
            _ => limits.queue_limit,
        };
        let counting = async {
            let channel = self.link.channel().await.ok()?;
            let counted = look_at_queue(&channel, queue).await;
            counted.ok().map(|queue| queue.message_count() as usize)
        };
        match timeout(REFUSED, counting).await {
            Ok(Some(ready)) if ready >= limit => BrokerError::Full { queue, limit },
            _ => BrokerError::Away(format!(
                "the queue {queue} takes no message: most of its nodes are down, or it is full"
            )),
        }
    }

    /// Drops the channel, so that the next message takes a new one. A channel that
    /// met a queue just after the node of the queue's leader died refers to that node
    /// for ever, and refuses every message long after the queue has another leader.
    async fn leave(&self, channel: &Channel) {
        let mut current = self.channel.lock().await;
        current.take_if(|current| current.id() == channel.id());
    }

    /// Returns the channel for publishing, a new channel if the last one is closed.
    async fn channel(&self) -> Result<Channel, BrokerError> {
        let mut current = self.channel.lock().await;
        if let Some(channel) = &*current
            && channel.status().connected()
        {
            return Ok(channel.clone());
        }
        *current = None;
        let channel = self.link.channel().await?;
        let confirms = channel.confirm_select(ConfirmSelectOptions::default());
        self.config.call("selecting confirms", confirms).await?;
        *current = Some(channel.clone());
        Ok(channel)
    }
}

fn judge(confirmation: Confirmation, message: &OutgoingMessage) -> Result<(), BrokerError> {
    match confirmation {
        Confirmation::Ack(None) => Ok(()),
        // The broker confirmed and dropped the message: no binding matches its key.
        Confirmation::Ack(Some(_)) | Confirmation::Nack(Some(_)) => {
            Err(BrokerError::Away(format!(
                "no queue takes {} from the exchange {}: run `zkwhirl provision`",
                message.key, message.exchange
            )))
        }
        Confirmation::Nack(None) | Confirmation::NotRequested => Err(BrokerError::Away(
            "the broker did not confirm the message".into(),
        )),
    }
}
