//! An unacknowledged message of this process, and its settlement.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use lapin::{
    Acker,
    options::{BasicAckOptions, BasicRejectOptions},
};
use zkwhirl_job::envelope::JobEnvelope;

use super::{channel::ConsumerChannel, error::shuts_down, message::OutgoingMessage};
use crate::{BrokerError, Settlement, Settler};

/// An unacknowledged message. Dropping it unsettled returns it to the head of its
/// queue, as after a crash.
#[derive(Debug)]
pub(super) struct HeldMessage {
    channel: Arc<ConsumerChannel>,
    acker: Acker,
    settled: AtomicBool,
}

impl HeldMessage {
    pub(super) fn new(channel: Arc<ConsumerChannel>, acker: Acker) -> Arc<Self> {
        Arc::new(Self {
            channel,
            acker,
            settled: AtomicBool::new(false),
        })
    }

    fn is_held(&self) -> bool {
        !self.settled.load(Ordering::Acquire) && self.channel.is_open() && self.acker.usable()
    }

    /// Publishes `next`, the message that replaces this one, then acks: a crash in
    /// between repeats the job and loses nothing. A caller that stops waiting does
    /// not stop the settlement. `Ok(false)`: the delivery was lost before.
    pub(super) async fn settle(
        self: &Arc<Self>,
        next: Option<OutgoingMessage>,
    ) -> Result<bool, BrokerError> {
        let held = self.clone();
        let settling = async move {
            if !held.is_held() {
                return Ok(false);
            }
            if let Some(message) = next {
                held.channel.client.publisher.send(message).await?;
            }
            held.channel.stop_consuming().await;
            Ok(held.ack().await)
        };
        let settled = self.channel.client.handle.spawn(settling).await;
        settled.unwrap_or_else(|_| Err(shuts_down()))
    }

    /// Acks the message. False: the broker did not get the ack, or has redelivered
    /// the message.
    async fn ack(&self) -> bool {
        let acking = self.acker.ack(BasicAckOptions::default());
        let config = &self.channel.client.config;
        let acked = self.is_held() && config.call("ack", acking).await == Ok(true);
        self.settled.store(true, Ordering::Release);
        acked
    }
}

impl Drop for HeldMessage {
    fn drop(&mut self) {
        if !self.is_held() {
            return;
        }
        let (channel, acker) = (self.channel.clone(), self.acker.clone());
        // Counted at once, so that the next claim waits for the return.
        channel.count_return(1);
        self.channel.client.handle.spawn(async move {
            channel.stop_consuming().await;
            // Rejected, not nacked: RabbitMQ 4.3 and later do not count a nack.
            let rejecting = acker.reject(BasicRejectOptions { requeue: true });
            let config = &channel.client.config;
            config.call_or_log("returning a job", rejecting).await;
            channel.count_return(-1);
        });
    }
}

#[derive(Debug)]
pub(super) struct AmqpJobSettler {
    pub(super) held: Arc<HeldMessage>,
    /// The job, which a requeue publishes again.
    pub(super) job: JobEnvelope,
}

#[async_trait]
impl Settler for AmqpJobSettler {
    async fn settle(&mut self, how: &Settlement) -> Result<bool, BrokerError> {
        let next = match how {
            Settlement::Ack => None,
            Settlement::Retry { rung, job } => Some(OutgoingMessage::retry(job, *rung)?),
            Settlement::HandBack => Some(OutgoingMessage::hand_back(&self.job)?),
            Settlement::Bury(letter) => Some(OutgoingMessage::letter(letter)?),
        };
        self.held.settle(next).await
    }
}

#[derive(Debug)]
pub(super) struct AmqpResultSettler(pub(super) Arc<HeldMessage>);

#[async_trait]
impl Settler for AmqpResultSettler {
    async fn settle(&mut self, _ack: &Settlement) -> Result<bool, BrokerError> {
        self.0.settle(None).await
    }
}
