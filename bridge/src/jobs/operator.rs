//! What an operator can do to a job: reject and replay it.

use zkwhirl_job::{Failure, JobId};
use zkwhirl_ledger::{JobEventKind, JobRecord, JobState, Note};
use zkwhirl_telemetry::catalogue::bridge::COMPLETED;

use super::{
    admission::{Inadmissible, admit},
    connect::Jobs,
};
use crate::{falafel::Rejection, journal::topic_name, retry::Stopped};

/// Why an operator's request was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OperatorError {
    /// No such job.
    #[error("no job {0} is known")]
    Unknown(JobId),
    /// The job is not in a state for it.
    #[error("job {} is {state}, must be {must}", job.short())]
    State {
        /// The job.
        job: JobId,
        /// Its state.
        state: JobState,
        /// What it must be.
        must: &'static str,
    },
    /// The request is still one that no prover should see.
    #[error("job {} cannot be replayed: {why}", job.short())]
    Inadmissible {
        /// The job.
        job: JobId,
        /// What is wrong with its request.
        why: Inadmissible,
    },
    /// The bridge is stopping.
    #[error("the bridge is stopping")]
    Stopping,
}

impl From<Stopped> for OperatorError {
    fn from(_: Stopped) -> Self {
        Self::Stopping
    }
}

/// Does what operators ask for.
#[derive(Debug)]
pub(crate) struct Operator {
    pub(crate) jobs: Jobs,
}

impl Operator {
    /// See [`crate::BridgeHandle::reject`].
    pub(crate) async fn reject(&self, job: JobId, reason: &str) -> Result<usize, OperatorError> {
        let ledger = &self.jobs.services.ledger;
        let from = [
            JobState::Taken,
            JobState::Queued,
            JobState::Claimed,
            JobState::Proving,
            JobState::Retrying,
            JobState::Dead,
        ];
        // Cut to what a frame should carry.
        let reason = Failure::invalid(reason).reason;
        let note = Note::because(reason.clone());
        self.record(job).await?;
        if !ledger
            .transition(job, &from, JobState::Rejected, &note)
            .await?
        {
            let must = "waiting: neither proved nor finished";
            return Err(self.wrong_state(job, must).await);
        }
        self.jobs.endings.forget(job);
        self.jobs.services.broker.remove_dead(job).await?;
        let record = self.record(job).await?;
        let Some(rejection) = Rejection::of(&record) else {
            let must = "rejected: a new ticket has taken it up again";
            return Err(self.wrong_state(job, must).await);
        };
        let told = self.jobs.answers.reject(&record, rejection).await?;
        COMPLETED.one([topic_name(record.kind), "rejected"]);
        self.jobs
            .services
            .journal
            .emit(&record, JobEventKind::Rejected { reason });
        Ok(told)
    }

    /// See [`crate::BridgeHandle::replay`].
    pub(crate) async fn replay(&self, job: JobId) -> Result<(), OperatorError> {
        let ledger = &self.jobs.services.ledger;
        let record = self.record(job).await?;
        let request = self.jobs.requests.of(job).await?;
        let request = request.ok_or(OperatorError::Unknown(job))?;
        if let Err(why) = admit(&record, &request, self.jobs.services.config.sizes) {
            return Err(OperatorError::Inadmissible { job, why });
        }
        let note = Note {
            attempt: Some(1),
            ..Note::because("replayed by an operator")
        };
        let from = [JobState::Dead];
        if !ledger
            .transition(job, &from, JobState::Taken, &note)
            .await?
        {
            return Err(self.wrong_state(job, "dead").await);
        }
        // Before it is published: a letter beside a queued job would bury it.
        self.jobs.services.broker.remove_dead(job).await?;
        self.jobs
            .services
            .journal
            .emit(&record, JobEventKind::Replayed);
        self.jobs.dispatch.publish(&record).await;
        Ok(())
    }

    async fn record(&self, job: JobId) -> Result<JobRecord, OperatorError> {
        let record = self.jobs.services.ledger.job(job).await?;
        record.ok_or(OperatorError::Unknown(job))
    }

    async fn wrong_state(&self, job: JobId, must: &'static str) -> OperatorError {
        match self.record(job).await {
            Ok(record) => OperatorError::State {
                job,
                state: record.state,
                must,
            },
            Err(error) => error,
        }
    }
}
