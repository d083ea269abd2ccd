//! Which worker has a job, for views and for fencing.
//!
//! The broker alone decides who works: a lease refuses nobody. It counts: every
//! claim outdates the one before, and what an outdated worker writes with its
//! lease is refused. A result needs no lease, because it is verified.

use std::time::Duration;

use redis::Value;
use zkwhirl_job::JobId;

use super::{
    RedisLedger,
    frame::cut,
    link::Lane,
    odd,
    record::{NAME, text},
    scripts::With,
};
use crate::{JobState, LedgerError, Note};

/// That a worker has a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobLease {
    /// The job.
    pub job: JobId,
    /// The worker.
    pub worker: String,
    /// Larger than every fence that was given before.
    pub fence: u64,
    /// How long it lasts without being renewed.
    pub ttl: Duration,
}

impl RedisLedger {
    /// Notes that a worker has a job. An older lease on it is outdated.
    pub async fn lease(
        &self,
        job: JobId,
        worker: &str,
        ttl: Duration,
    ) -> Result<JobLease, LedgerError> {
        let lease = JobLease {
            job,
            worker: cut(worker, NAME).to_owned(),
            fence: 0,
            ttl,
        };
        let answer = self
            .ask(Lane::Quick, &self.say_lease("claim", &lease))
            .await?;
        let fence = text(&answer).and_then(|fence| fence.parse().ok());
        let fence = fence.ok_or_else(|| odd(&answer))?;
        Ok(JobLease { fence, ..lease })
    }

    /// Makes a lease last its time from now. False: another worker has the job.
    pub async fn renew(&self, lease: &JobLease) -> Result<bool, LedgerError> {
        let call = self.say_lease("renew", lease);
        Ok(self.number(Lane::Quick, &call).await? == 1)
    }

    /// Ends a lease. False: it was outdated.
    pub async fn release(&self, lease: &JobLease) -> Result<bool, LedgerError> {
        let call = self.say_lease("release", lease);
        Ok(self.number(Lane::Quick, &call).await? == 1)
    }

    /// As [`crate::Ledger::transition`], while the lease is not outdated.
    pub async fn transition_leased(
        &self,
        lease: &JobLease,
        from: &[JobState],
        to: JobState,
        note: &Note,
    ) -> Result<bool, LedgerError> {
        self.transition_with(Some(lease.fence), lease.job, from, to, note)
            .await
    }

    /// The leases that last, the next to end first; with the time that each
    /// has left as its `ttl`. At most `limit`.
    pub async fn leases(&self, limit: usize) -> Result<Vec<JobLease>, LedgerError> {
        let call = self.call(|scripts| &scripts.leases).with(limit);
        let Value::Array(items) = self.ask(Lane::Quick, &call).await? else {
            return Err(odd(&Value::Nil));
        };
        let leases = items.iter().filter_map(|item| {
            let Value::Array(fields) = item else {
                return None;
            };
            let [job, worker, fence, left] = &fields[..] else {
                return None;
            };
            Some(JobLease {
                job: text(job)?.parse().ok()?,
                worker: text(worker)?.to_owned(),
                fence: text(fence)?.parse().ok()?,
                ttl: Duration::from_millis(text(left)?.parse().ok()?),
            })
        });
        Ok(leases.collect())
    }

    fn say_lease(&self, verb: &str, lease: &JobLease) -> redis::ScriptInvocation<'_> {
        let call = self.call(|scripts| &scripts.lease).with(verb);
        let call = call.with(lease.job.to_string()).with(&lease.worker);
        call.with(lease.ttl.as_millis() as u64).with(lease.fence)
    }
}
