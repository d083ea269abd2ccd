//! The bridge's consumer of results.

use std::sync::Arc;

use async_trait::async_trait;
use lapin::{message::Delivery as LapinDelivery, options::BasicConsumeOptions, types::FieldTable};
use zkwhirl_job::envelope::{BodyError, ResultEnvelope};

use super::{
    AmqpClient,
    channel::ConsumerChannel,
    error::{consumer_ended, next},
    headers::trace,
    held::{AmqpResultSettler, HeldMessage},
    message::UnreadMessage,
    names::RESULTS_QUEUE,
    unread,
};
use crate::{BrokerError, RESULT_PREFETCH, ResultConsumer, ResultDelivery};

#[derive(Debug)]
pub(super) struct AmqpResultConsumer {
    client: Arc<AmqpClient>,
    joined: Option<Joined>,
}

type Joined = (Arc<ConsumerChannel>, lapin::Consumer);

impl AmqpResultConsumer {
    /// Starts consuming at once: a caller that subscribes again after every error
    /// must meet the error here, where the caller pauses, and not in `next`.
    pub(super) async fn join(client: &Arc<AmqpClient>) -> Result<Self, BrokerError> {
        let mut this = Self {
            client: client.clone(),
            joined: None,
        };
        this.joined().await?;
        Ok(this)
    }

    async fn joined(&mut self) -> Result<&mut Joined, BrokerError> {
        let joined = match self.joined.take() {
            Some(joined) if joined.0.is_open() => joined,
            lost => {
                self.joined = lost;
                self.leave();
                self.consume().await?
            }
        };
        Ok(self.joined.insert(joined))
    }

    async fn consume(&self) -> Result<Joined, BrokerError> {
        let channel = ConsumerChannel::open(&self.client, RESULT_PREFETCH as u16).await?;
        let consuming = channel.channel.basic_consume(
            RESULTS_QUEUE.into(),
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let consumer = self
            .client
            .config
            .call("consuming the queue of results", consuming);
        let consumer = consumer.await?;
        Ok((channel, consumer))
    }

    fn leave(&mut self) {
        if let Some((channel, _)) = self.joined.take() {
            channel.close_soon();
        }
    }

    /// Settles a result that cannot be read, in a task of its own: a caller that
    /// stops waiting does not undo the settlement.
    fn settle_unread(&self, held: Arc<HeldMessage>, message: LapinDelivery, why: BodyError) {
        let unread = UnreadMessage::of(message, |_| None);
        let client = self.client.clone();
        self.client.handle.spawn(async move {
            // A message that cannot be settled is redelivered after it is dropped.
            if let Err(error) = unread::settle(&client, &held, unread, &why).await {
                tracing::debug!("cannot settle an unreadable result, it is redelivered: {error}");
            }
        });
    }
}

#[async_trait]
impl ResultConsumer for AmqpResultConsumer {
    async fn next(&mut self) -> Result<ResultDelivery, BrokerError> {
        loop {
            let (channel, consumer) = self.joined().await?;
            let message = match next(consumer).await {
                Some(Ok(message)) => message,
                ended => {
                    self.leave();
                    return Err(consumer_ended("waiting for a result", ended));
                }
            };
            let held = HeldMessage::new(channel.clone(), message.acker.clone());
            match ResultEnvelope::parse(&message.data) {
                Ok(mut result) => {
                    result.trace = trace(&message.properties);
                    let settler = Box::new(AmqpResultSettler(held));
                    return Ok(ResultDelivery { result, settler });
                }
                Err(error) => self.settle_unread(held, message, error),
            }
        }
    }
}

impl Drop for AmqpResultConsumer {
    fn drop(&mut self) {
        self.leave();
    }
}
