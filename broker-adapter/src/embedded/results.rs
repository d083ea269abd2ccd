//! The queue of results.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    pin::pin,
    sync::Arc,
};

use async_trait::async_trait;
use zkwhirl_job::{JobId, envelope::ResultEnvelope};

use super::Shared;
use crate::{BrokerError, RESULT_PREFETCH, ResultConsumer, ResultDelivery, ResultReceipt};

#[derive(Debug)]
pub(super) struct Results {
    limit: usize,
    ready: BTreeMap<u64, ResultEnvelope>,
    /// By place in the queue, with the consumer that holds it.
    leases: HashMap<u64, (ResultEnvelope, u64)>,
    next: u64,
}

impl Results {
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

    fn give_back(&mut self, seq: u64, consumer: u64) {
        if self.leases.get(&seq).is_some_and(|(_, by)| *by == consumer)
            && let Some((result, _)) = self.leases.remove(&seq)
        {
            self.ready.insert(seq, result);
        }
    }

    fn leave(&mut self, consumer: u64) {
        let held = self.leases.iter().filter(|(_, (_, by))| *by == consumer);
        for seq in held.map(|(seq, _)| *seq).collect::<Vec<_>>() {
            self.give_back(seq, consumer);
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
pub(super) struct Consumer {
    shared: Arc<Shared>,
    id: u64,
}

impl Consumer {
    pub(super) fn join(shared: &Arc<Shared>) -> Self {
        let mut results = shared.results();
        results.next += 1;
        Self {
            shared: shared.clone(),
            id: results.next,
        }
    }
}

#[async_trait]
impl ResultConsumer for Consumer {
    async fn next(&mut self) -> Result<ResultDelivery, BrokerError> {
        loop {
            let mut changed = pin!(self.shared.changed.notified());
            changed.as_mut().enable();
            self.shared.reachable()?;
            let picked = self.shared.results().pick(self.id);
            if let Some((seq, result)) = picked {
                let receipt = Receipt {
                    shared: self.shared.clone(),
                    seq,
                    consumer: self.id,
                };
                return Ok(ResultDelivery::new(result, Box::new(receipt)));
            }
            changed.await;
        }
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.shared.results().leave(self.id);
        self.shared.changed.notify_waiters();
    }
}

#[derive(Debug)]
struct Receipt {
    shared: Arc<Shared>,
    seq: u64,
    consumer: u64,
}

#[async_trait]
impl ResultReceipt for Receipt {
    async fn ack(&mut self) -> Result<bool, BrokerError> {
        self.shared.reachable()?;
        let acked = self.shared.results().ack(self.seq, self.consumer);
        self.shared.changed.notify_waiters();
        Ok(acked)
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        self.shared.results().give_back(self.seq, self.consumer);
        self.shared.changed.notify_waiters();
    }
}
