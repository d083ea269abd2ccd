//! Replies that the gate cannot check now, because a key or its store is away.
//!
//! The proof is kept in the ledger, apart from the results, and its message is
//! acknowledged: it holds up no other result. It is verified again until the
//! gate decides. If that takes too long the job is proved again; no attempt is
//! counted, for no prover failed.

use std::{collections::HashSet, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{sync::Semaphore, time::Instant};
use zkwhirl_job::{JobId, clock, clock::Backoff, reply::NotVerified};
use zkwhirl_ledger::{JobRecord, JobState, StoredResult, UnverifiedReply};

use super::{
    endings::Endings,
    results::{Maker, Results, Verdict},
};
use crate::{locked::Locked, retry::Stopped, services::Services};

/// Replies that are verified again at once: a proof takes a core.
const CHECKS: usize = 2;
/// The first pause is the longest divided by this.
const FIRST: u32 = 16;

/// The states from which an undecided job is proved again. Whatever else it is,
/// it is in an operator's hands, or not wanted.
const WANTED: [JobState; 6] = [
    JobState::Queued,
    JobState::Claimed,
    JobState::Proving,
    JobState::Retrying,
    JobState::Proved,
    JobState::Delivered,
];

/// Keeps unverified replies and verifies them again.
#[derive(Debug)]
pub(crate) struct Unverified {
    services: Services,
    results: Arc<Results>,
    endings: Arc<Endings>,
    /// Jobs whose reply this bridge verifies again.
    checking: Locked<HashSet<JobId>>,
    permits: Semaphore,
}

impl Unverified {
    pub(crate) fn new(services: Services, results: Arc<Results>, endings: Arc<Endings>) -> Self {
        Self {
            services,
            results,
            endings,
            checking: Locked::default(),
            permits: Semaphore::new(CHECKS),
        }
    }

    /// Keeps a reply that cannot be checked now, for the `reason`.
    pub(super) async fn keep(
        self: &Arc<Self>,
        job: &JobRecord,
        reply: Bytes,
        maker: &Maker,
        reason: &str,
    ) -> Result<(), Stopped> {
        tracing::warn!(job = %job.id, "reply kept unverified, to be checked again: {reason}");
        let worker = maker.worker.clone();
        let result = StoredResult::new(reply, maker.attempt, worker, maker.prove_ms);
        let ledger = &self.services.ledger;
        ledger.store_unverified(job.id, &result).await?;
        self.check(job.id);
        Ok(())
    }

    /// Checks the reply that is kept of a job until the gate decides, in the
    /// background; once, however often it is asked.
    pub(crate) fn check(self: &Arc<Self>, job: JobId) {
        if !self.checking.lock().insert(job) {
            return;
        }
        let this = self.clone();
        self.services.tasks.spawn(async move {
            let (tasks, work) = (&this.services.tasks, this.clone().until_decided(job));
            let worked = tasks.item("unverified reply", work).await;
            if let Ok(None) = this.endings.park_if_panicked(job, worked).await {
                // `Err`: the bridge stops, and the next one meets it again.
                let _ = this.services.ledger.drop_unverified(job).await;
            }
            this.checking.lock().remove(&job);
        });
    }

    async fn until_decided(self: Arc<Self>, job: JobId) -> Result<(), Stopped> {
        let (ledger, timing) = (&self.services.ledger, &self.services.config.timing);
        let longest = timing.recheck_every;
        let mut backoff = Backoff::new(longest / FIRST, longest);
        let mut until = None;
        loop {
            self.services.retry.pause(backoff.pause()).await?;
            let kept = ledger.unverified(job).await?;
            let record = ledger.job(job).await?;
            let (Some(kept), Some(record)) = (kept, record) else {
                return ledger.drop_unverified(job).await;
            };
            let until = *until.get_or_insert_with(|| ends(&kept, timing.unverified_for));
            if self.decided(&record, &kept, until).await? {
                return Ok(());
            }
        }
    }

    /// Verifies a reply again. False: it still cannot be checked, and its job
    /// is not proved again before `until`.
    async fn decided(
        &self,
        job: &JobRecord,
        kept: &UnverifiedReply,
        until: Instant,
    ) -> Result<bool, Stopped> {
        let ledger = &self.services.ledger;
        if matches!(job.state, JobState::Rejected | JobState::Withdrawn) {
            ledger.drop_unverified(job.id).await?;
            return Ok(true);
        }
        let maker = Maker::of_stored(&kept.result);
        // The semaphore is never closed.
        let permit = self.permits.acquire().await;
        let verdict = self.results.verify(job, kept.result.reply.clone()).await?;
        drop(permit);
        match verdict {
            Verdict::Verified(verified) => {
                if matches!(job.state, JobState::Proved | JobState::Delivered) {
                    let from = [JobState::Proved, JobState::Delivered];
                    self.results.proved(job, &from, verified).await?;
                } else {
                    self.results.accept(job, verified, &maker).await?;
                }
                // Only now: it is in the results.
                ledger.drop_unverified(job.id).await?;
            }
            Verdict::NotVerified(NotVerified::Refused { reason }) => {
                // First: the next attempt may come to be unverified as well.
                ledger.drop_unverified(job.id).await?;
                self.results.refuse(job, &maker, reason).await?;
            }
            Verdict::NotVerified(NotVerified::CannotCheck { reason }) => {
                if Instant::now() < until {
                    return Ok(false);
                }
                ledger.drop_unverified(job.id).await?;
                let waited = self.services.config.timing.unverified_for;
                let why = format!("its reply could not be verified for {waited:?}: {reason}");
                self.results.prove_again(job, &WANTED, None, &why).await?;
            }
            // Its tickets come again.
            Verdict::RequestGone => ledger.drop_unverified(job.id).await?,
        }
        Ok(true)
    }
}

/// When a reply has been unverified for `time`, on the clock of pauses.
fn ends(kept: &UnverifiedReply, time: Duration) -> Instant {
    let age = Duration::from_millis(clock::now_ms().saturating_sub(kept.since_ms));
    Instant::now() + time.saturating_sub(age)
}
