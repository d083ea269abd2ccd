//! How a job ends without a proof: as a dead letter, or withdrawn.

use std::sync::Arc;

use zkwhirl_broker_adapter::{DeadClass, DeadLetter};
use zkwhirl_job::{JobId, clock};
use zkwhirl_ledger::{JobEventKind, JobRecord, JobState, Note};
use zkwhirl_telemetry::catalogue::bridge::COMPLETED;

use super::requests::Requests;
use crate::{
    journal::{Dead, Death, topic_name},
    retry::Stopped,
    services::Services,
    supervise::ItemPanicked,
};

/// Ends jobs.
#[derive(Debug)]
pub(crate) struct Endings {
    pub(crate) services: Services,
    pub(crate) requests: Arc<Requests>,
}

impl Endings {
    /// Makes a dead letter of a job, then notes it in the ledger. The job's
    /// tickets stay open. `why` follows `job 1c9f… parked: `.
    pub(crate) async fn bury(
        &self,
        job: &JobRecord,
        why: &str,
        death: Death,
    ) -> Result<(), Stopped> {
        let reason = DeadLetter::parked(job.id, why);
        if !self.write_letter(job, &reason).await? {
            return Ok(());
        }
        let (ledger, note) = (&self.services.ledger, Note::because(&*reason));
        let moved = ledger.transition(job.id, &JobState::ALL, JobState::Dead, &note);
        if moved.await? {
            self.services.journal.dead(&Dead::of(job, &reason), death);
        }
        Ok(())
    }

    /// What work on a job came to; `None`: the bridge panicked over the job, and
    /// the job is parked.
    pub(crate) async fn park_if_panicked<T>(
        &self,
        job: JobId,
        worked: Result<Result<T, Stopped>, ItemPanicked>,
    ) -> Result<Option<T>, Stopped> {
        match worked {
            Ok(done) => done.map(Some),
            Err(panic) => self
                .bury_panicked(job, &panic.to_string())
                .await
                .map(|()| None),
        }
    }

    /// Buries a job over which the bridge panicked, unless it is proved or has
    /// ended: then its next ticket, or the next comparison, goes on with it.
    async fn bury_panicked(&self, job: JobId, why: &str) -> Result<(), Stopped> {
        let record = self.services.ledger.job(job).await?;
        let goes_on = |job: &JobRecord| {
            job.state == JobState::Taken || JobState::OUTSTANDING.contains(&job.state)
        };
        tracing::error!(job = %job, "{why}");
        match record.filter(goes_on) {
            Some(record) => self.bury(&record, why, Death::Bridge).await,
            None => Ok(()),
        }
    }

    /// Puts the letter of a dead job back that the broker has lost.
    pub(crate) async fn restore_letter(&self, job: &JobRecord) -> Result<(), Stopped> {
        if self.services.broker.dead_letter(job.id).await?.is_none() {
            let reason = job.reason.clone().unwrap_or_default();
            self.write_letter(job, &reason).await?;
        }
        Ok(())
    }

    /// False: the job's request is gone, and so is the job.
    async fn write_letter(&self, job: &JobRecord, reason: &str) -> Result<bool, Stopped> {
        let Some(request) = self.requests.of(job.id).await? else {
            return Ok(false);
        };
        let letter = DeadLetter {
            class: DeadClass::Failed,
            id: job.id,
            kind: job.kind,
            rollup_id: job.rollup_id,
            reason: reason.to_owned(),
            history: self.services.ledger.attempts(job.id).await?,
            taken_at_ms: job.taken_at_ms,
            died_at_ms: clock::now_ms(),
            payload: self.requests.payload(request),
        };
        self.services.broker.bury(&letter).await?;
        Ok(true)
    }

    /// Notes that no ticket waits for a job. Workers drop it when they see it.
    pub(crate) async fn withdraw(&self, job: &JobRecord) -> Result<(), Stopped> {
        // What is in a prover goes on: it is nearly done, and the same request
        // usually comes back under a new id.
        let from = [
            JobState::Taken,
            JobState::Queued,
            JobState::Claimed,
            JobState::Retrying,
            JobState::Dead,
        ];
        let note = Note::because("no ticket waits for it any more");
        let ledger = &self.services.ledger;
        let moved = ledger.transition(job.id, &from, JobState::Withdrawn, &note);
        if moved.await? {
            self.services.broker.remove_dead(job.id).await?;
            COMPLETED.one([topic_name(job.kind), "withdrawn"]);
            self.services.journal.emit(job, JobEventKind::Withdrawn);
            self.forget(job.id);
        }
        Ok(())
    }

    /// All tickets of a proved job are answered.
    pub(crate) async fn delivered(&self, job: JobId) -> Result<(), Stopped> {
        self.requests.forget(job);
        let (from, note) = ([JobState::Proved], Note::default());
        let ledger = &self.services.ledger;
        let moved = ledger.transition(job, &from, JobState::Delivered, &note);
        moved.await.map(drop)
    }

    /// Forgets a job that is not wanted, and tells workers to stop proving it,
    /// in the background.
    pub(super) fn forget(&self, job: JobId) {
        self.requests.forget(job);
        let broker = self.services.broker.clone();
        let cancel = async move { broker.cancel(job).await };
        self.services.tasks.spawn(cancel);
    }
}
