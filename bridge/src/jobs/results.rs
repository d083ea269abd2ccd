//! What becomes of a reply: verified, it is kept and answers the tickets of its
//! job; refused, its job goes back for another attempt.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use zkwhirl_job::{AttemptRecord, Failure, JobId, envelope::ResultEnvelope, reply::NotVerified};
use zkwhirl_ledger::{JobEventKind, JobRecord, JobState, Note, StoredResult};
use zkwhirl_telemetry::catalogue::process::RETRIED;

use super::{answers::Answers, endings::Endings, publisher::Publisher, requests::Requests};
use crate::{
    gate::{Gate, Verified},
    journal::{Death, wasted},
    retry::Stopped,
    services::Services,
};

/// Decides about replies.
#[derive(Debug)]
pub(crate) struct Results {
    pub(crate) services: Services,
    pub(crate) gate: Gate,
    pub(crate) requests: Arc<Requests>,
    pub(crate) answers: Arc<Answers>,
    pub(crate) publisher: Arc<Publisher>,
    pub(crate) endings: Arc<Endings>,
}

/// Who made a reply.
#[derive(Debug, Clone)]
pub(super) struct Maker {
    pub(super) worker: String,
    pub(super) attempt: u32,
    pub(super) prove_ms: u64,
}

impl Maker {
    pub(super) fn of_result(result: &ResultEnvelope) -> Self {
        Self {
            worker: result.worker.clone(),
            attempt: result.attempt,
            prove_ms: result.prove_ms,
        }
    }

    pub(super) fn of_stored(result: &StoredResult) -> Self {
        Self {
            worker: result.worker.clone(),
            attempt: result.attempt,
            prove_ms: result.prove_ms,
        }
    }
}

/// What the gate says about a reply to a job.
#[derive(Debug)]
pub(super) enum Verdict {
    Verified(Verified),
    NotVerified(NotVerified),
    /// The job's request is gone, and so is the job.
    RequestGone,
}

impl Results {
    /// Verifies a reply to a job.
    pub(super) async fn verify(&self, job: &JobRecord, reply: Bytes) -> Result<Verdict, Stopped> {
        let Some(kind) = job.kind else {
            // Another release's kind is no reason to drop its proof.
            let unknown = NotVerified::cannot_check("this release does not know the job's kind");
            return Ok(Verdict::NotVerified(unknown));
        };
        let Some(request) = self.requests.of(job.id).await? else {
            return Ok(Verdict::RequestGone);
        };
        Ok(match self.gate.check(kind, request, reply).await {
            Ok(verified) => Verdict::Verified(verified),
            Err(error) => Verdict::NotVerified(error),
        })
    }

    /// A reply is verified: it is stored, then the job is noted as proved, then
    /// its tickets are answered.
    pub(super) async fn accept(
        &self,
        job: &JobRecord,
        verified: Verified,
        maker: &Maker,
    ) -> Result<(), Stopped> {
        let result = StoredResult {
            reply: verified.reply().clone(),
            digest: *verified.digest(),
            attempt: maker.attempt,
            worker: maker.worker.clone(),
            prove_ms: maker.prove_ms,
        };
        self.store(job.id, &result).await?;
        if job.state == JobState::Dead {
            self.services.broker.remove_dead(job.id).await?;
        }
        let proving = Duration::from_millis(maker.prove_ms);
        self.services.journal.proved(job, proving);
        self.proved(job, &JobState::ALL, verified).await
    }

    /// Stores a verified result. The worker has stored it, as a rule; another
    /// attempt may have stored its own: what is kept is what was verified.
    async fn store(&self, job: JobId, result: &StoredResult) -> Result<(), Stopped> {
        let ledger = &self.services.ledger;
        loop {
            match ledger.result(job).await? {
                Some(held) if held.digest == result.digest => return Ok(()),
                Some(_) => ledger.drop_result(job).await?,
                None => {}
            }
            if ledger.store_result(job, result).await? {
                return Ok(());
            }
        }
    }

    /// Notes that a job is proved, and answers its tickets.
    pub(super) async fn proved(
        &self,
        job: &JobRecord,
        from: &[JobState],
        verified: Verified,
    ) -> Result<(), Stopped> {
        let (ledger, note) = (&self.services.ledger, Note::default());
        // False: it is proved already.
        ledger
            .transition(job.id, from, JobState::Proved, &note)
            .await?;
        self.answers.reply(job, verified).await
    }

    /// A reply is refused: a prover's failure. The job goes back for another
    /// attempt, or is given up on.
    pub(super) async fn refuse(
        &self,
        job: &JobRecord,
        maker: &Maker,
        why: String,
    ) -> Result<(), Stopped> {
        let ledger = &self.services.ledger;
        self.services.journal.counters.unverified.one();
        wasted(job.kind, maker.prove_ms, "unverified");
        let failure = Failure::prover(format!("its reply does not verify: {why}"));
        let (worker, reason) = (maker.worker.clone(), why);
        let unverified = JobEventKind::Unverified { worker, reason };
        self.services.journal.emit(job, unverified);
        let held = ledger.result(job.id).await?;
        if held.is_some_and(|held| held.attempt == maker.attempt) {
            ledger.drop_result(job.id).await?;
        }
        let outdated = job.attempt > maker.attempt || job.state.is_finished();
        if outdated || job.state == JobState::Dead {
            // Another attempt is on its way already, or none is wanted.
            return Ok(());
        }
        let failed = AttemptRecord {
            attempt: maker.attempt,
            worker: maker.worker.clone(),
            failure,
            duration: Duration::from_millis(maker.prove_ms),
            exit: None,
            stderr_tail: String::new(),
            peak_rss_bytes: None,
        };
        ledger.add_attempt(job.id, &failed).await?;
        self.retry_or_bury(job, failed).await
    }

    async fn retry_or_bury(&self, job: &JobRecord, failed: AttemptRecord) -> Result<(), Stopped> {
        let attempts = failed.attempt;
        let kind = job
            .kind
            .filter(|_| attempts < self.services.config.max_attempts);
        let Some(kind) = kind else {
            let why = format!("{attempts} attempts used up, the last: {}", failed.failure);
            return self.endings.bury(job, &why, Death::Attempts).await;
        };
        if !self.publisher.retry(job, kind, &failed).await? {
            return Ok(());
        }
        RETRIED.one([kind.topic().name(), "unverified"]);
        let retrying = JobEventKind::Retrying {
            worker: failed.worker,
            attempt: failed.attempt,
            class: failed.failure.class,
            reason: failed.failure.reason,
        };
        self.services.journal.emit(job, retrying);
        Ok(())
    }

    /// Proves a job once more, from one of the states `from`: its result is
    /// gone, or nobody could verify it. Without `attempt` none is counted.
    pub(super) async fn prove_again(
        &self,
        job: &JobRecord,
        from: &[JobState],
        attempt: Option<u32>,
        why: &str,
    ) -> Result<(), Stopped> {
        let ledger = &self.services.ledger;
        ledger.drop_result(job.id).await?;
        let note = Note {
            attempt,
            ..Note::because(why)
        };
        if ledger
            .transition(job.id, from, JobState::Taken, &note)
            .await?
        {
            tracing::warn!(job = %job.id, "the job is proved again: {why}");
            self.publisher.queue(job).await;
        }
        Ok(())
    }
}
