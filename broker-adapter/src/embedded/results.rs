//! The queue of results of the embedded broker.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    pin::pin,
    sync::Arc,
};

use async_trait::async_trait;
use zkwhirl_job::{JobId, envelope::ResultEnvelope};

use super::MemoryBroker;
use crate::{BrokerError, RESULT_PREFETCH, ResultConsumer, ResultDelivery, Settlement, Settler};

#[derive(Debug, Default)]
pub(super) struct ResultQueue {
    limit: usize,
    ready: BTreeMap<u64, ResultEnvelope>,
    /// The leased results by their place in the queue, each with its consumer.
    leases: HashMap<u64, (ResultEnvelope, u64)>,
    next: u64,
}

impl ResultQueue {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    pub(super) fn publish(&mut self, result: ResultEnvelope) -> Result<(), BrokerError> {
        if self.ready.len() >= self.limit {
            return Err(BrokerError::Full {
                queue: "results",
                limit: self.limit,
            });
        }
        let seq = self.number();
        self.ready.insert(seq, result);
        Ok(())
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn pick(&mut self, consumer: u64) -> Option<(u64, ResultEnvelope)> {
        let held = self.leases.values().filter(|(_, by)| *by == consumer);
        if held.count() >= RESULT_PREFETCH {
            return None;
        }
        let (seq, result) = self.ready.pop_first()?;
        self.leases.insert(seq, (result.clone(), consumer));
        Some((seq, result))
    }

    /// Ends a consumer's lease of a result. `None`: the consumer has no such lease.
    fn end(&mut self, seq: u64, consumer: u64) -> Option<ResultEnvelope> {
        let own = self.leases.get(&seq).filter(|(_, by)| *by == consumer);
        own?;
        self.leases.remove(&seq).map(|(result, _)| result)
    }

    fn hand_back(&mut self, seq: u64, consumer: u64) {
        if let Some(result) = self.end(seq, consumer) {
            self.ready.insert(seq, result);
        }
    }

    fn leave(&mut self, consumer: u64) {
        for (seq, (result, _)) in self.leases.extract_if(|_, (_, by)| *by == consumer) {
            self.ready.insert(seq, result);
        }
    }

    pub(super) fn held(&self) -> HashSet<JobId> {
        let leased = self.leases.values().map(|(result, _)| result.id);
        self.ready.values().map(|r| r.id).chain(leased).collect()
    }

    pub(super) fn wipe(&mut self) {
        self.ready.clear();
        self.leases.clear();
    }
}

#[derive(Debug)]
pub(super) struct EmbeddedResultConsumer {
    broker: Arc<MemoryBroker>,
    id: u64,
}

impl EmbeddedResultConsumer {
    pub(super) fn join(broker: Arc<MemoryBroker>) -> Self {
        let id = broker.results().number();
        Self { broker, id }
    }
}

#[async_trait]
impl ResultConsumer for EmbeddedResultConsumer {
    async fn next(&mut self) -> Result<ResultDelivery, BrokerError> {
        loop {
            let mut changed = pin!(self.broker.changed.notified());
            changed.as_mut().enable();
            let picked = self.broker.reachable()?.results().pick(self.id);
            if let Some((seq, result)) = picked {
                let (broker, consumer) = (self.broker.clone(), self.id);
                let settler = Box::new(EmbeddedResultSettler {
                    broker,
                    seq,
                    consumer,
                });
                return Ok(ResultDelivery { result, settler });
            }
            changed.await;
        }
    }
}

impl Drop for EmbeddedResultConsumer {
    fn drop(&mut self) {
        self.broker.results().leave(self.id);
        self.broker.changed.notify_waiters();
    }
}

#[derive(Debug)]
struct EmbeddedResultSettler {
    broker: Arc<MemoryBroker>,
    seq: u64,
    consumer: u64,
}

#[async_trait]
impl Settler for EmbeddedResultSettler {
    async fn settle(&mut self, _ack: &Settlement) -> Result<bool, BrokerError> {
        let broker = self.broker.reachable()?;
        let acked = broker.results().end(self.seq, self.consumer);
        broker.changed.notify_waiters();
        Ok(acked.is_some())
    }
}

impl Drop for EmbeddedResultSettler {
    fn drop(&mut self) {
        self.broker.results().hand_back(self.seq, self.consumer);
        self.broker.changed.notify_waiters();
    }
}
