//! A worker's consumer of the embedded queues, and its settlements.

use std::{pin::pin, sync::Arc};

use async_trait::async_trait;
use tokio::time::{Instant, sleep_until};
use zkwhirl_job::Topic;

use super::{MemoryBroker, queue::LeasedJob};
use crate::{BrokerError, Delivery, JobConsumer, Settlement, Settler};

#[derive(Debug)]
pub(super) struct EmbeddedJobConsumer {
    broker: Arc<MemoryBroker>,
    id: u64,
}

impl EmbeddedJobConsumer {
    pub(super) fn join(broker: Arc<MemoryBroker>, topics: &[Topic], worker: &str) -> Self {
        let id = broker.jobs().join(topics, worker);
        Self { broker, id }
    }

    fn deliver(&self, leased: LeasedJob) -> Delivery {
        let LeasedJob {
            topic,
            lease,
            queued,
        } = leased;
        let settler = EmbeddedJobSettler {
            broker: self.broker.clone(),
            topic,
            lease,
        };
        Delivery {
            job: queued.job,
            queue: topic.name(),
            delivery_count: queued.count,
            redelivered: queued.redelivered,
            settler: Box::new(settler),
        }
    }
}

#[async_trait]
impl JobConsumer for EmbeddedJobConsumer {
    async fn claim(&mut self) -> Result<Delivery, BrokerError> {
        loop {
            let mut changed = pin!(self.broker.changed.notified());
            // Registered before picking, so that no change is missed.
            changed.as_mut().enable();
            let picked = self.broker.reachable()?.jobs().pick(self.id);
            let wake = match picked {
                Ok(leased) => return Ok(self.deliver(leased)),
                Err(wake) => wake,
            };
            tokio::select! {
                () = changed => {}
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
            }
        }
    }
}

impl Drop for EmbeddedJobConsumer {
    fn drop(&mut self) {
        self.broker.jobs().leave(self.id);
        self.broker.changed.notify_waiters();
    }
}

#[derive(Debug)]
struct EmbeddedJobSettler {
    broker: Arc<MemoryBroker>,
    topic: Topic,
    lease: u64,
}

#[async_trait]
impl Settler for EmbeddedJobSettler {
    async fn settle(&mut self, how: &Settlement) -> Result<bool, BrokerError> {
        let broker = self.broker.reachable()?;
        let settled = broker.jobs().settle(self.topic, self.lease, how);
        broker.changed.notify_waiters();
        settled
    }
}

impl Drop for EmbeddedJobSettler {
    fn drop(&mut self) {
        // A settled delivery has no lease: the call then changes nothing.
        self.broker.jobs().crash(self.topic, self.lease);
        self.broker.changed.notify_waiters();
    }
}
