//! The queue of results.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    pin::pin,
    sync::Arc,
};

use async_trait::async_trait;
use zkwhirl_job::{JobId, envelope::ResultEnvelope};

use super::MemoryBroker;
use crate::{BrokerError, RESULT_PREFETCH, ResultAcker, ResultConsumer, ResultDelivery};

#[derive(Debug)]
pub(super) struct ResultQueue {
    limit: usize,
    ready: BTreeMap<u64, ResultEnvelope>,
    /// By place in the queue, with the consumer that holds it.
    leases: HashMap<u64, (ResultEnvelope, u64)>,
    next: u64,
}

impl ResultQueue {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            ready: BTreeMap::new(),
            leases: HashMap::new(),
            next: 0,
        }
    }

    pub(super) fn publish(&mut self, result: ResultEnvelope) -> Result<(), BrokerError> {
        if self.ready.len() >= self.limit {
            return Err(BrokerError::Full {
                queue: "results",
                limit: self.limit,
            });
        }
        self.next += 1;
        self.ready.insert(self.next, result);
        Ok(())
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

    fn ack(&mut self, seq: u64, consumer: u64) -> bool {
        match self.leases.get(&seq) {
            Some((_, by)) if *by == consumer => self.leases.remove(&seq).is_some(),
            _ => false,
        }
    }

    fn hand_back(&mut self, seq: u64, consumer: u64) {
        if self.leases.get(&seq).is_some_and(|(_, by)| *by == consumer)
            && let Some((result, _)) = self.leases.remove(&seq)
        {
            self.ready.insert(seq, result);
        }
    }

    fn leave(&mut self, consumer: u64) {
        let held = self.leases.iter().filter(|(_, (_, by))| *by == consumer);
        for seq in held.map(|(seq, _)| *seq).collect::<Vec<_>>() {
            self.hand_back(seq, consumer);
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
    pub(super) fn join(broker: &Arc<MemoryBroker>) -> Self {
        let mut results = broker.results();
        results.next += 1;
        Self {
            broker: broker.clone(),
            id: results.next,
        }
    }
}

#[async_trait]
impl ResultConsumer for EmbeddedResultConsumer {
    async fn next(&mut self) -> Result<ResultDelivery, BrokerError> {
        loop {
            let mut changed = pin!(self.broker.changed.notified());
            changed.as_mut().enable();
            self.broker.reachable()?;
            let picked = self.broker.results().pick(self.id);
            if let Some((seq, result)) = picked {
                let acker = EmbeddedResultAcker {
                    broker: self.broker.clone(),
                    seq,
                    consumer: self.id,
                };
                return Ok(ResultDelivery::new(result, Box::new(acker)));
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
struct EmbeddedResultAcker {
    broker: Arc<MemoryBroker>,
    seq: u64,
    consumer: u64,
}

#[async_trait]
impl ResultAcker for EmbeddedResultAcker {
    async fn ack(&mut self) -> Result<bool, BrokerError> {
        self.broker.reachable()?;
        let acked = self.broker.results().ack(self.seq, self.consumer);
        self.broker.changed.notify_waiters();
        Ok(acked)
    }
}

impl Drop for EmbeddedResultAcker {
    fn drop(&mut self) {
        self.broker.results().hand_back(self.seq, self.consumer);
        self.broker.changed.notify_waiters();
    }
}
