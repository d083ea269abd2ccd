//! The consumers of the queues, and which jobs are kept from them.

use std::collections::HashMap;

use tokio::time::Instant;
use zkwhirl_job::{FailureClass, Topic, envelope::JobEnvelope};

#[derive(Debug, Default)]
pub(super) struct Members(pub(super) HashMap<u64, Member>);

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
    pub(super) fn of(&self, topic: Topic) -> impl Iterator<Item = &Member> {
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
