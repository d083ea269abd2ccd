//! Jobs that a caller in this process requests: the HTTP API.
//!
//! Such a job is like any other: its ticket is in the ledger, an equal request of
//! Falafel is the same job, and the job is queued, retried and verified. Only its answer
//! goes to the caller, and a dead letter is an answer, too: a caller can request the job
//! again, Falafel cannot.

use std::sync::Arc;

use bytes::Bytes;
use rand::Rng;
use tokio::sync::{broadcast::error::RecvError, oneshot};
use zkwhirl_job::{Command, Frame, JobId, Request, TicketId};
use zkwhirl_ledger::{JobEvent, JobEventKind, JobRecord, JobState};

use super::{
    admission::{self, Inadmissible, admit},
    dispatch,
    intake::enter_ledger,
};
use crate::{falafel::Answer, retry::Stopped, state::BridgeState, tickets::LOCAL};

/// How many callers may wait at the same time.
pub(crate) const CALLERS: usize = 1_024;

/// Why a caller gets no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The request can never be proved.
    #[error(transparent)]
    Inadmissible(#[from] Inadmissible),
    /// The job is a dead letter.
    #[error("{0}")]
    GivenUp(String),
    /// An operator rejected the job.
    #[error("rejected: {0}")]
    Rejected(String),
    /// Too many callers wait.
    #[error("{CALLERS} callers wait already")]
    Busy,
    /// The bridge stops.
    #[error("the server is stopping")]
    Stopping,
}

impl From<Stopped> for AskError {
    fn from(_: Stopped) -> Self {
        Self::Stopping
    }
}

/// See [`crate::BridgeHandle::ask`].
pub(crate) async fn ask(
    bridge: Arc<BridgeState>,
    command: Command,
    data: Bytes,
) -> Result<Bytes, AskError> {
    if bridge.closed.is_cancelled() {
        return Err(AskError::Stopping);
    }
    let permit = bridge.caller_permits.try_acquire();
    let _permit = permit.map_err(|_| AskError::Busy)?;
    let mut frame = Frame {
        ticket: TicketId(rand::thread_rng().r#gen()),
        command: command.code(),
        data,
    };
    let mut record = admission::record(&mut frame);
    let admitted = admit(&record, &frame.data, bridge.config.sizes)?;
    record.rollup_id = admitted.as_ref().and_then(Request::rollup_id);
    let (caller, answer) = oneshot::channel();
    bridge.callers.lock().insert(frame.ticket, caller);
    let wait = wait(&bridge, &frame, &record, answer);
    let outcome = bridge.retry.unless_stopped(wait).await;
    let outcome = outcome.unwrap_or(Err(AskError::Stopping));
    bridge.callers.lock().remove(&frame.ticket);
    if outcome.is_err() {
        // `Err`: the bridge stops, and the next one closes the ticket.
        let _ = bridge.ledger.close_ticket(frame.ticket).await;
    }
    outcome
}

async fn wait(
    bridge: &Arc<BridgeState>,
    frame: &Frame,
    record: &JobRecord,
    mut answer: oneshot::Receiver<Answer>,
) -> Result<Bytes, AskError> {
    // Subscribed before the job is taken, so that no event is missed.
    let mut events = bridge.journal.events.subscribe();
    let taken = enter_ledger(bridge, LOCAL.to_owned(), frame, record).await?;
    if taken.job.state == JobState::Dead {
        return Err(given_up(taken.job.reason));
    }
    dispatch::join(bridge, &taken.job).await;
    loop {
        tokio::select! {
            answer = &mut answer => return match answer {
                Ok(Answer::Reply(verified)) => Ok(verified.result().reply.clone()),
                Ok(Answer::Rejected(rejection)) => {
                    Err(AskError::Rejected(rejection.reason().to_owned()))
                }
                Err(_) => Err(AskError::Stopping),
            },
            event = events.recv() => unless_dead(bridge, record.id, event).await?,
        }
    }
}

/// Fails if an event reports that the job became a dead letter.
async fn unless_dead(
    bridge: &BridgeState,
    job: JobId,
    event: Result<JobEvent, RecvError>,
) -> Result<(), AskError> {
    match event {
        Ok(event) => match event.what {
            JobEventKind::Dead { reason } if event.job == job => Err(given_up(Some(reason))),
            _ => Ok(()),
        },
        // Events were missed: the ledger has the job's state.
        Err(RecvError::Lagged(_)) => match bridge.ledger.job(job).await? {
            Some(record) if record.state == JobState::Dead => Err(given_up(record.reason)),
            _ => Ok(()),
        },
        Err(RecvError::Closed) => Ok(()),
    }
}

fn given_up(reason: Option<String>) -> AskError {
    AskError::GivenUp(reason.unwrap_or_else(|| "the job was given up on".to_owned()))
}
