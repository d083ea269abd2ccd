//! The AMQP channel of one consumer.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use lapin::{
    Channel,
    options::{BasicCancelOptions, BasicQosOptions},
};
use tokio::sync::watch;

use super::{AmqpClient, names::short};
use crate::BrokerError;

#[derive(Debug)]
pub(super) struct ConsumerChannel {
    pub(super) client: Arc<AmqpClient>,
    pub(super) channel: Channel,
    /// This process closed the channel: its deliveries can no longer be settled.
    closed: AtomicBool,
    tags: Mutex<Tags>,
    /// How many dropped deliveries are not yet back in their queue.
    returning: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Tags {
    current: Vec<String>,
    made: u64,
}

impl ConsumerChannel {
    /// Opens a channel that holds at most `prefetch` unacknowledged deliveries.
    pub(super) async fn open(
        client: &Arc<AmqpClient>,
        prefetch: u16,
    ) -> Result<Arc<Self>, BrokerError> {
        let channel = client.consuming.channel().await?;
        let qos = channel.basic_qos(prefetch, BasicQosOptions::default());
        client.config.call("setting the prefetch", qos).await?;
        Ok(Arc::new(Self {
            client: client.clone(),
            channel,
            closed: AtomicBool::new(false),
            tags: Mutex::default(),
            returning: watch::Sender::default(),
        }))
    }

    /// Whether deliveries of this channel can still be settled.
    pub(super) fn is_open(&self) -> bool {
        !self.closed.load(Ordering::Acquire) && self.channel.status().connected()
    }

    fn tags(&self) -> MutexGuard<'_, Tags> {
        self.tags.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a consumer tag that no consumer of this channel has had.
    pub(super) fn new_tag(&self, worker: &str) -> String {
        let mut tags = self.tags();
        tags.made += 1;
        let tag = format!("{}.{}", short(worker), tags.made);
        tags.current.push(tag.clone());
        tag
    }

    pub(super) fn is_consuming(&self) -> bool {
        !self.tags().current.is_empty()
    }

    /// Cancels the consumers: afterwards the broker delivers nothing more.
    pub(super) async fn stop_consuming(&self) {
        let tags = std::mem::take(&mut self.tags().current);
        for tag in tags {
            let options = BasicCancelOptions::default();
            let cancel = self.channel.basic_cancel(tag.into(), options);
            let config = &self.client.config;
            config.call_or_log("cancelling a consumer", cancel).await;
        }
    }

    /// Counts a delivery that returns to its queue (1) or has returned (-1).
    pub(super) fn count_return(&self, change: isize) {
        self.returning
            .send_modify(|count| *count = count.saturating_add_signed(change));
    }

    /// Waits until every dropped delivery is back in its queue.
    pub(super) async fn returns_done(&self) {
        // The sender is in `self`: the wait cannot fail.
        let _ = self.returning.subscribe().wait_for(|left| *left == 0).await;
    }

    /// Closes the channel: its unsettled deliveries go back to their queues.
    pub(super) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        if self.channel.status().connected() {
            let closing = self.channel.close(200, "OK".into());
            self.client
                .config
                .call_or_log("closing a channel", closing)
                .await;
        }
    }

    /// Closes the channel in a task of its own.
    pub(super) fn close_soon(self: Arc<Self>) {
        let client = self.client.clone();
        client.handle.spawn(async move { self.close().await });
    }
}
