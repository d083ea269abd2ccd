//! Confirmed publishing: `Ok` means that the message is in a queue, on disk.

use std::sync::Arc;

use bytes::Bytes;
use lapin::{
    BasicProperties, Channel, Confirmation,
    options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tokio::{
    runtime::Handle,
    sync::{Mutex, OwnedMutexGuard, Semaphore},
    time::{Duration, Instant, timeout},
};
use zkwhirl_telemetry::catalogue::process::PUBLISH_SECONDS;

use super::{
    config::AmqpConfig,
    error::{away, call},
    link::AmqpLink,
    names::RESULTS_QUEUE,
};
use crate::BrokerError;

/// Messages that wait for their confirm at the same time.
const WINDOW: u32 = 64;
/// A message takes one more place of the window for each of these bytes: 7 of a
/// MiB fill it.
const SLOT_BYTES: usize = 128 << 10;
/// For finding out why a message was refused.
const REFUSED: Duration = Duration::from_secs(2);

/// A message on its way out.
#[derive(Debug, Clone)]
pub(super) struct OutgoingMessage {
    pub(super) exchange: &'static str,
    pub(super) key: String,
    pub(super) properties: BasicProperties,
    pub(super) body: Bytes,
    /// The queue that it ends in, for the error when that is full.
    pub(super) queue: &'static str,
    /// Messages that the queue holds.
    pub(super) limit: usize,
    /// A message that no queue takes is an error.
    pub(super) mandatory: bool,
}

/// Publishes with confirms on a connection of its own: when the broker is low
/// on memory or disk it stops reading publishers, and acks must not stop too.
#[derive(Debug, Clone)]
pub(super) struct Publisher {
    inner: Arc<PublisherInner>,
}

/// Held from the call until the message is written: messages keep the order of
/// the calls.
type SendLock = OwnedMutexGuard<()>;

#[derive(Debug)]
struct PublisherInner {
    link: AmqpLink,
    config: Arc<AmqpConfig>,
    runtime: Handle,
    window: Semaphore,
    channel: Mutex<Option<Channel>>,
    /// Tasks of the runtime would overtake each other, and jobs have an order.
    send_lock: Arc<Mutex<()>>,
}

impl Publisher {
    pub(super) fn new(link: AmqpLink, config: Arc<AmqpConfig>, runtime: Handle) -> Self {
        Self {
            inner: Arc::new(PublisherInner {
                link,
                config,
                runtime,
                window: Semaphore::new(WINDOW as usize),
                channel: Mutex::new(None),
                send_lock: Arc::default(),
            }),
        }
    }

    pub(super) fn link(&self) -> &AmqpLink {
        &self.inner.link
    }

    /// Publishes and waits for the confirm; messages are sent in the order of
    /// these calls. A caller that stops waiting does not stop the publishing
    /// once it has begun.
    pub(super) async fn send(&self, message: OutgoingMessage) -> Result<(), BrokerError> {
        let inner = self.inner.clone();
        let limit = inner.config.confirm_timeout;
        let Ok(lock) = timeout(limit, inner.send_lock.clone().lock_owned()).await else {
            let why = format!("messages before it were not sent within {limit:?}");
            return Err(BrokerError::Away(why));
        };
        let sending = self
            .inner
            .runtime
            .spawn(async move { inner.send(&message, lock).await });
        sending
            .await
            .unwrap_or_else(|_| Err(BrokerError::Away("the process shuts down".into())))
    }
}

impl PublisherInner {
    async fn send(&self, message: &OutgoingMessage, lock: SendLock) -> Result<(), BrokerError> {
        let (limit, started) = (self.config.confirm_timeout, Instant::now());
        let Ok(confirmed) = timeout(limit, self.confirmed(message, lock)).await else {
            // Nothing is known about what was sent on this channel.
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
            mandatory: message.mandatory,
            ..BasicPublishOptions::default()
        };
        let sent = channel
            .basic_publish(
                message.exchange.into(),
                message.key.as_str().into(),
                options,
                &message.body,
                message.properties.clone(),
            )
            .await
            .map_err(|error| away(&what(), &error))?;
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

    /// Why the broker did not take a message: its queue is full, or most of the
    /// queue's nodes are away.
    async fn refused(&self, message: &OutgoingMessage) -> BrokerError {
        let (queue, limit) = (message.queue, message.limit);
        let counting = async {
            let channel = self.link.channel().await.ok()?;
            let options = QueueDeclareOptions::durable().passive();
            let table = FieldTable::default();
            let counted = channel.queue_declare(queue.into(), options, table).await;
            counted.ok().map(|queue| queue.message_count() as usize)
        };
        match timeout(REFUSED, counting).await {
            Ok(Some(ready)) if ready >= limit => BrokerError::Full { queue, limit },
            _ => BrokerError::Away(format!(
                "the queue {queue} takes nothing: most of its nodes are away, or it is full"
            )),
        }
    }

    /// The next message takes a new channel. A channel that met a queue while
    /// its leader's node had just died asks that node for ever, and refuses
    /// everything, long after the queue has another leader.
    async fn leave(&self, channel: &Channel) {
        let mut current = self.channel.lock().await;
        current.take_if(|current| current.id() == channel.id());
    }

    /// The channel for publishing, a new one when the last is gone.
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
        call("asking for confirms", self.config.call_timeout, confirms).await?;
        *current = Some(channel.clone());
        Ok(channel)
    }
}

fn judge(confirmation: Confirmation, message: &OutgoingMessage) -> Result<(), BrokerError> {
    match confirmation {
        Confirmation::Ack(None) => Ok(()),
        // Confirmed and thrown away: no queue is bound for it.
        Confirmation::Ack(Some(_)) | Confirmation::Nack(Some(_)) => {
            Err(BrokerError::Away(format!(
                "no queue takes {} from the exchange {}: run `zkwhirl provision`",
                message.key, message.exchange
            )))
        }
        Confirmation::Nack(None) | Confirmation::NotRequested => {
            Err(BrokerError::Away("the broker did not confirm".into()))
        }
    }
}
