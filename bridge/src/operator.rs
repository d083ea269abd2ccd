//! What an operator can do: reject and replay.

use std::sync::Arc;

use zkwhirl_job::{Failure, JobId};
use zkwhirl_telemetry::catalogue::bridge::COMPLETED;

use super::{BridgeHandle, BridgeStats, counting::topic_name, requests::admit, rollups::Left};
use zkwhirl_broker_adapter::{Broker, BrokerError, Control};
use zkwhirl_job::clock;
use zkwhirl_ledger::{
    JobState, Ledger, Note,
    events::{Events, What},
};

/// Why an operator's word was not obeyed.
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
        why: String,
    },
    /// The bridge is stopping.
    #[error("the bridge is stopping")]
    Stopping,
}

impl BridgeHandle {
    /// The bridge's counts.
    pub fn stats(&self) -> BridgeStats {
        self.shared.stats()
    }

    /// The bridge's name among the bridges of the ledger.
    pub fn name(&self) -> &str {
        &self.shared.config.name
    }

    /// Who waits for what.
    pub fn ledger(&self) -> &Arc<dyn Ledger> {
        &self.shared.deps.ledger
    }

    /// Where jobs wait.
    pub fn broker(&self) -> &Arc<dyn Broker> {
        &self.shared.deps.broker
    }

    /// What a rollup will still take with so many `slots` for inner jobs;
    /// `None` when that is not known.
    pub fn rollup_left(&self, rollup: u32, slots: usize) -> Option<Left> {
        let rollups = self.shared.rollups.lock();
        rollups.left_of(rollup, slots, clock::now_ms())
    }

    /// What happens to jobs.
    pub fn events(&self) -> &Events {
        &self.shared.deps.events
    }

    /// Tells every worker to restart its provers. What they prove is handed
    /// back and proved again; no attempt is counted.
    pub async fn restart_provers(&self) -> Result<(), BrokerError> {
        self.shared
            .deps
            .broker
            .send_control(&Control::Restart)
            .await
    }

    /// Rejects a job: a NACK goes to each ticket that waits for it. Returns how
    /// many there are.
    ///
    /// **A NACK stops Falafel's rollup production** until somebody restarts it;
    /// on a verification key job it ends Falafel's process.
    pub async fn reject(&self, job: JobId, reason: &str) -> Result<usize, OperatorError> {
        let shared = &self.shared;
        let ledger = &shared.deps.ledger;
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
        let record = self.record(job).await?;
        let moved = shared.insist("reject a job", || {
            ledger.transition(job, &from, JobState::Rejected, &note)
        });
        if !moved.await.ok_or(OperatorError::Stopping)? {
            let must = "waiting: neither proved nor finished";
            return Err(self.wrong_state(job, must).await);
        }
        shared.cancel(job);
        let broker = &shared.deps.broker;
        let removed = shared.insist("remove a dead letter", || broker.remove_dead(job));
        removed.await.ok_or(OperatorError::Stopping)?;
        let told = shared.refuse_all(&record, &reason).await;
        shared.traces.lock().end(job);
        COMPLETED.one([topic_name(record.kind), "rejected"]);
        shared.emit(&record, What::Rejected { reason });
        told.ok_or(OperatorError::Stopping)
    }

    /// Sends a parked job back to the queue, as attempt 1 with its history.
    pub async fn replay(&self, job: JobId) -> Result<(), OperatorError> {
        let shared = &self.shared;
        let (broker, ledger) = (&shared.deps.broker, &shared.deps.ledger);
        let record = self.record(job).await?;
        let request = shared.request(&record).await;
        let request = request.ok_or(OperatorError::Stopping)?;
        let request = request.ok_or(OperatorError::Unknown(job))?;
        if let Err(why) = admit(&record, &request, shared.config.sizes) {
            return Err(OperatorError::Inadmissible { job, why });
        }
        let note = Note {
            attempt: Some(1),
            ..Note::because("replayed by an operator")
        };
        let moved = shared.insist("replay a job", || {
            ledger.transition(job, &[JobState::Dead], JobState::Taken, &note)
        });
        if !moved.await.ok_or(OperatorError::Stopping)? {
            return Err(self.wrong_state(job, "dead").await);
        }
        // Before it is published: a letter beside a queued job would bury it.
        let removed = shared.insist("remove a dead letter", || broker.remove_dead(job));
        removed.await.ok_or(OperatorError::Stopping)?;
        shared.emit(&record, What::Replayed);
        shared.pump(&record).await;
        Ok(())
    }

    async fn record(&self, job: JobId) -> Result<zkwhirl_ledger::JobRecord, OperatorError> {
        let ledger = &self.shared.deps.ledger;
        let record = self.shared.insist("read a job", || ledger.job(job));
        let record = record.await.ok_or(OperatorError::Stopping)?;
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
