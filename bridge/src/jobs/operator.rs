//! An operator's actions on a job: reject and replay.

use std::sync::Arc;

use zkwhirl_job::{Failure, JobId};
use zkwhirl_ledger::{
    JobEventKind, JobRecord,
    JobState::{self, Claimed, Dead, Proving, Queued, Retrying, Taken},
    Note,
};
use zkwhirl_telemetry::catalogue::bridge::COMPLETED;

use super::{
    admission::{Inadmissible, admit},
    answers, dispatch, endings,
};
use crate::{falafel::Rejection, journal::topic_name, retry::Stopped, state::BridgeState};

/// Why an operator's action failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OperatorError {
    /// The ledger has no such job.
    #[error("no job {0} is known")]
    Unknown(JobId),
    /// The job's state does not allow the action.
    #[error("job {} is {state}, must be {must}", job.short())]
    State {
        /// The job.
        job: JobId,
        /// The job's state.
        state: JobState,
        /// The state that the action needs.
        must: &'static str,
    },
    /// The job's request can still not be proved.
    #[error("job {} cannot be replayed: {why}", job.short())]
    Inadmissible {
        /// The job.
        job: JobId,
        /// What is wrong with the job's request.
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

/// See [`crate::BridgeHandle::reject`].
pub(crate) async fn reject(
    bridge: &Arc<BridgeState>,
    job: JobId,
    reason: &str,
) -> Result<usize, OperatorError> {
    let from = [Taken, Queued, Claimed, Proving, Retrying, Dead];
    // Cut to the limit of an error text in a frame.
    let reason = Failure::invalid(reason).reason;
    let note = Note::because(reason.clone());
    record(bridge, job).await?;
    let ledger = &bridge.ledger;
    let moved = ledger.transition(job, &from, JobState::Rejected, &note);
    if !moved.await? {
        let must = "waiting: neither proved nor finished";
        return Err(wrong_state(bridge, job, must).await);
    }
    endings::forget(bridge, job);
    bridge.broker.remove_dead(job).await?;
    let record = record(bridge, job).await?;
    let Some(rejection) = Rejection::of(&record) else {
        let must = "rejected: a new ticket has taken it up again";
        return Err(wrong_state(bridge, job, must).await);
    };
    let told = answers::reject(bridge, &record, rejection).await?;
    COMPLETED.one([topic_name(record.kind), "rejected"]);
    let rejected = JobEventKind::Rejected { reason };
    bridge.journal.emit(&record, rejected);
    Ok(told)
}

/// See [`crate::BridgeHandle::replay`].
pub(crate) async fn replay(bridge: &Arc<BridgeState>, job: JobId) -> Result<(), OperatorError> {
    let record = record(bridge, job).await?;
    let request = bridge.requests.of(job).await?;
    let request = request.ok_or(OperatorError::Unknown(job))?;
    if let Err(why) = admit(&record, &request, bridge.config.sizes) {
        return Err(OperatorError::Inadmissible { job, why });
    }
    let note = Note {
        attempt: Some(1),
        ..Note::because("replayed by an operator")
    };
    let (ledger, from) = (&bridge.ledger, [JobState::Dead]);
    let moved = ledger.transition(job, &from, JobState::Taken, &note);
    if !moved.await? {
        return Err(wrong_state(bridge, job, "dead").await);
    }
    // Removed before publishing: a letter beside a queued job would bury the job.
    bridge.broker.remove_dead(job).await?;
    bridge.journal.emit(&record, JobEventKind::Replayed);
    dispatch::publish(bridge, &record).await;
    Ok(())
}

async fn record(bridge: &BridgeState, job: JobId) -> Result<JobRecord, OperatorError> {
    let record = bridge.ledger.job(job).await?;
    record.ok_or(OperatorError::Unknown(job))
}

async fn wrong_state(bridge: &BridgeState, job: JobId, must: &'static str) -> OperatorError {
    match record(bridge, job).await {
        Ok(record) => OperatorError::State {
            job,
            state: record.state,
            must,
        },
        Err(error) => error,
    }
}
