//! Confirmed publishing: `Ok` means that the message is in a queue, on disk.

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

/// Messages that wait for their confirm at the same time.
const WINDOW: u32 = 64;
/// A message takes one more place of the window for each of these bytes: 7 of a
/// MiB fill it.
const SLOT_BYTES: usize = 128 << 10;
/// For finding out why a message was refused.
const REFUSED: Duration = Duration::from_secs(2);

/// Publishes with confirms on a connection of its own: when the broker is low
/// on memory or disk it stops reading publishers, and acks must not stop too.
#[derive(Debug)]
pub(super) struct AmqpPublisher {
    pub(super) link: AmqpLink,
    config: Arc<AmqpConfig>,
    runtime: Handle,
    window: Semaphore,
    channel: Mutex<Option<Channel>>,
    /// Tasks of the runtime would overtake each other, and jobs have an order.
    send_lock: Arc<Mutex<()>>,
}

/// Held from the call until the message is written: messages keep the order of
/// the calls.
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

    /// Publishes and waits for the confirm; messages are sent in the order of
    /// these calls. A caller that stops waiting does not stop the publishing
    /// once it has begun.
    pub(super) async fn send(
        self: &Arc<Self>,
        message: OutgoingMessage,
    ) -> Result<(), BrokerError> {
        let limit = self.config.confirm_timeout;
        let Ok(lock) = timeout(limit, self.send_lock.clone().lock_owned()).await else {
            let why = format!("messages before it were not sent within {limit:?}");
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

    /// Why the broker did not take a message: its queue is full, or most of the
    /// queue's nodes are away.
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
        self.config.call("asking for confirms", confirms).await?;
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
