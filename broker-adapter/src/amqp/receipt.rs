//! What a worker holds: a channel to consume on, a message to settle.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use lapin::{
    Acker, Channel,
    options::{BasicAckOptions, BasicCancelOptions, BasicRejectOptions},
};
use tokio::sync::watch;
use zkwhirl_job::envelope::JobEnvelope;

use super::{Shared, error::call, names::short, publisher::Outgoing};
use crate::{BrokerError, JobReceipt, Settlement};

/// A channel that one consumer claims on.
#[derive(Debug)]
pub(super) struct Seat {
    channel: Channel,
    /// Left on purpose: what was delivered here is lost.
    left: AtomicBool,
    tags: Mutex<Tags>,
    /// Deliveries that were dropped and are on their way back.
    returning: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Tags {
    current: Vec<String>,
    made: u64,
}

impl Seat {
    pub(super) fn new(channel: Channel) -> Self {
        Self {
            channel,
            left: AtomicBool::new(false),
            tags: Mutex::new(Tags::default()),
            returning: watch::Sender::new(0),
        }
    }

    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Whether what was delivered here may still be settled.
    pub(super) fn holds(&self) -> bool {
        !self.left.load(Ordering::Acquire) && self.channel.status().connected()
    }

    fn tags(&self) -> std::sync::MutexGuard<'_, Tags> {
        self.tags.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn new_tag(&self, worker: &str) -> String {
        let mut tags = self.tags();
        tags.made += 1;
        let tag = format!("{}.{}", short(worker), tags.made);
        tags.current.push(tag.clone());
        tag
    }

    pub(super) fn consumes_nothing(&self) -> bool {
        self.tags().current.is_empty()
    }

    /// After this the broker sends nothing more.
    pub(super) async fn stop_consuming(&self, shared: &Shared) {
        let tags = std::mem::take(&mut self.tags().current);
        for tag in tags {
            let cancel = self
                .channel
                .basic_cancel(tag.into(), BasicCancelOptions::default());
            let limit = shared.config.call_timeout;
            if let Err(error) = call("leaving the queue", limit, cancel).await {
                tracing::debug!("{error}");
            }
        }
    }

    /// Waits until what was dropped is back in its queue.
    pub(super) async fn quiet(&self) {
        // The sender is in `self`: the wait cannot fail.
        let _ = self.returning.subscribe().wait_for(|left| *left == 0).await;
    }

    /// Closes the channel: whatever is held on it goes back to its queue.
    pub(super) async fn leave(&self, shared: &Shared) {
        self.left.store(true, Ordering::Release);
        if self.channel.status().connected() {
            let closing = self.channel.close(200, "OK".into());
            if let Err(error) = call("closing", shared.config.call_timeout, closing).await {
                tracing::debug!("{error}");
            }
        }
    }
}

/// A message that is held. Dropped unsettled it goes back to the head of its
/// queue, as after a crash.
#[derive(Debug)]
pub(super) struct Held {
    shared: Arc<Shared>,
    seat: Arc<Seat>,
    acker: Acker,
    settled: AtomicBool,
}

impl Held {
    pub(super) fn new(shared: Arc<Shared>, seat: Arc<Seat>, acker: Acker) -> Arc<Self> {
        Arc::new(Self {
            shared,
            seat,
            acker,
            settled: AtomicBool::new(false),
        })
    }

    fn is_held(&self) -> bool {
        !self.settled.load(Ordering::Acquire) && self.seat.holds() && self.acker.usable()
    }

    /// Publishes what follows from the settlement, then acks: a crash in
    /// between repeats the job and loses nothing. A caller that stops waiting
    /// does not stop it. `Ok(false)`: the lease was lost.
    pub(super) async fn settle(
        self: &Arc<Self>,
        follows: Option<Outgoing>,
    ) -> Result<bool, BrokerError> {
        let held = self.clone();
        let settling = async move {
            if !held.is_held() {
                return Ok(false);
            }
            if let Some(message) = follows {
                held.shared.publisher.send(message).await?;
            }
            held.seat.stop_consuming(&held.shared).await;
            Ok(held.ack().await)
        };
        let settled = self.shared.handle.spawn(settling).await;
        settled.unwrap_or_else(|_| Err(BrokerError::Away("the process shuts down".into())))
    }

    /// False when the broker did not get the ack, or has given the job away.
    async fn ack(&self) -> bool {
        let limit = self.shared.config.call_timeout;
        let acking = self.acker.ack(BasicAckOptions::default());
        let acked = self.is_held() && matches!(call("ack", limit, acking).await, Ok(true));
        self.settled.store(true, Ordering::Release);
        acked
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.is_held() {
            return;
        }
        let (shared, seat, acker) = (self.shared.clone(), self.seat.clone(), self.acker.clone());
        // At once, so that the next claim waits for it.
        self.seat.returning.send_modify(|left| *left += 1);
        self.shared.handle.spawn(async move {
            seat.stop_consuming(&shared).await;
            // Rejected, not nacked: since 4.3 a nack is not counted.
            let rejecting = acker.reject(BasicRejectOptions { requeue: true });
            if let Err(error) = call("returning a job", shared.config.call_timeout, rejecting).await
            {
                tracing::debug!("{error}");
            }
            seat.returning.send_modify(|left| *left -= 1);
        });
    }
}

/// The settlement of one delivery.
#[derive(Debug)]
pub(super) struct Receipt {
    held: Arc<Held>,
    /// For handing it back.
    job: JobEnvelope,
}

impl Receipt {
    pub(super) fn new(held: Arc<Held>, job: JobEnvelope) -> Self {
        Self { held, job }
    }
}

#[async_trait]
impl JobReceipt for Receipt {
    async fn settle(&mut self, how: &Settlement) -> Result<bool, BrokerError> {
        let mail = &self.held.shared.mail;
        let follows = match how {
            Settlement::Ack => None,
            Settlement::Retry { rung, job } => Some(mail.retry(job, *rung)?),
            Settlement::HandBack => Some(mail.hand_back(&self.job)?),
            Settlement::Bury(letter) => Some(mail.letter(letter)?),
        };
        self.held.settle(follows).await
    }
}
