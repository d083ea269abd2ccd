//! The consumers of the queues, and the jobs that they may not claim.

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

/// Whether a job is kept from a worker.
pub(super) enum Keep {
    No,
    Until(Instant),
    Yes,
}

impl Members {
    pub(super) fn of(&self, topic: Topic) -> impl Iterator<Item = &Member> {
        self.0.values().filter(move |m| m.topics.contains(&topic))
    }

    /// Decides whether a job is kept from a worker that failed it: until `until`, or,
    /// if the last failure was "invalid", for as long as a worker is live that has not
    /// failed the job.
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
