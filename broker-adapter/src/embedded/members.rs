//! The consumers of the queues, and which jobs are kept from them.

use std::collections::HashMap;

use tokio::time::Instant;
use zkwhirl_job::{FailureClass, Topic, envelope::JobEnvelope};

/// Live consumers by their number.
#[derive(Debug, Default)]
pub(super) struct Members(HashMap<u64, Member>);

#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) worker: String,
    pub(super) topics: Vec<Topic>,
}

/// Whether a worker may have a job.
pub(super) enum Keep {
    No,
    Until(Instant),
    Yes,
}

impl Members {
    pub(super) fn join(&mut self, id: u64, topics: &[Topic], worker: &str) {
        let member = Member {
            worker: worker.to_owned(),
            topics: topics.to_vec(),
        };
        self.0.insert(id, member);
    }

    pub(super) fn leave(&mut self, id: u64) {
        self.0.remove(&id);
    }

    pub(super) fn get(&self, id: u64) -> Option<&Member> {
        self.0.get(&id)
    }

    pub(super) fn count(&self, topic: Topic) -> usize {
        self.of(topic).count()
    }

    fn of(&self, topic: Topic) -> impl Iterator<Item = &Member> {
        self.0.values().filter(move |m| m.topics.contains(&topic))
    }

    /// Whether a job is kept from a worker that failed it, for another: until
    /// `until`, or for as long as another is live when the worker found the job
    /// invalid.
    pub(super) fn keep(&self, job: &JobEnvelope, worker: &str, until: Instant) -> Keep {
        let failed = job.failed_in_series();
        let has_failed = |name: &str| failed.iter().any(|record| record.worker == name);
        let mut others = self.of(job.topic()).filter(|m| !has_failed(&m.worker));
        if !has_failed(worker) || others.next().is_none() {
            return Keep::No;
        }
        match failed.last().map(|record| record.failure.class) {
            Some(FailureClass::Invalid) => Keep::Yes,
            _ if until <= Instant::now() => Keep::No,
            _ => Keep::Until(until),
        }
    }
}
