//! A worker's place in the embedded queues, and its receipts.

use std::{pin::pin, sync::Arc};

use async_trait::async_trait;
use tokio::time::{Instant, sleep_until};
use zkwhirl_job::Topic;

use super::{Shared, queue::Pick};
use crate::{BrokerError, Delivery, JobConsumer, JobReceipt, Settlement};

#[derive(Debug)]
pub(super) struct Consumer {
    shared: Arc<Shared>,
    id: u64,
}

impl Consumer {
    pub(super) fn join(shared: &Arc<Shared>, topics: &[Topic], worker: &str) -> Self {
        let id = shared.state().join(topics, worker);
        Self {
            shared: shared.clone(),
            id,
        }
    }
}

#[async_trait]
impl JobConsumer for Consumer {
    async fn claim(&mut self) -> Result<Delivery, BrokerError> {
        loop {
            let mut changed = pin!(self.shared.changed.notified());
            // Registered before the look, so that no change is missed.
            changed.as_mut().enable();
            self.shared.reachable()?;
            let pick = self.shared.state().pick(self.id);
            let wake = match pick {
                Pick::Job {
                    topic,
                    lease,
                    message,
                } => {
                    let receipt = Receipt {
                        shared: self.shared.clone(),
                        topic,
                        lease,
                    };
                    let delivery = Delivery::new(message.job, topic.name(), Box::new(receipt));
                    return Ok(delivery.after(message.count, message.redelivered));
                }
                Pick::Nothing(wake) => wake,
            };
            tokio::select! {
                () = changed => {}
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
            }
        }
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.shared.state().leave(self.id);
        self.shared.changed.notify_waiters();
    }
}

#[derive(Debug)]
struct Receipt {
    shared: Arc<Shared>,
    topic: Topic,
    lease: u64,
}

#[async_trait]
impl JobReceipt for Receipt {
    async fn settle(&mut self, how: &Settlement) -> Result<bool, BrokerError> {
        self.shared.reachable()?;
        let settled = self.shared.state().settle(self.topic, self.lease, how);
        self.shared.changed.notify_waiters();
        settled
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        // Nothing happens when the delivery was settled.
        self.shared.state().crash(self.topic, self.lease);
        self.shared.changed.notify_waiters();
    }
}
