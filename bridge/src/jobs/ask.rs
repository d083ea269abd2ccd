//! Jobs that a caller in this process asks for: the HTTP API.
//!
//! Such a job is like any other: its ticket is in the ledger, equal requests of
//! Falafel's are the same job, it is queued, retried and verified. Only its
//! answer goes to the caller, and a job that was given up on is an answer, too:
//! a caller can ask again, Falafel cannot.

use bytes::Bytes;
use rand::Rng;
use tokio::sync::{broadcast::error::RecvError, oneshot};
use tokio_util::sync::CancellationToken;
use zkwhirl_job::{Command, Frame, JobId, Request, TicketId};
use zkwhirl_ledger::{JobEvent, JobEventKind, JobRecord, JobState};

use super::{
    admission::{self, Inadmissible, admit},
    connect::Jobs,
    intake::new_ticket,
};
use crate::{
    falafel::Answer,
    retry::Stopped,
    tickets::{Callers, LOCAL},
};

/// Why a caller gets no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// It can never be a request.
    #[error(transparent)]
    Inadmissible(#[from] Inadmissible),
    /// The job is a dead letter.
    #[error("{0}")]
    GivenUp(String),
    /// An operator rejected the job.
    #[error("rejected: {0}")]
    Rejected(String),
    /// Too many callers wait.
    #[error("{} callers wait already", Callers::MOST)]
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

/// Takes the requests of callers.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    pub(crate) jobs: Jobs,
}

impl Asking {
    /// See [`crate::BridgeHandle::ask`]. Nothing new is taken once `closed` is
    /// cancelled.
    pub(crate) async fn ask(
        self,
        command: Command,
        data: Bytes,
        closed: CancellationToken,
    ) -> Result<Bytes, AskError> {
        if closed.is_cancelled() {
            return Err(AskError::Stopping);
        }
        let _permit = self.jobs.callers.admit().ok_or(AskError::Busy)?;
        let mut frame = Frame {
            ticket: TicketId(rand::thread_rng().r#gen()),
            command: command.code(),
            data,
        };
        let mut record = admission::record(&mut frame);
        let admitted = admit(&record, &frame.data, self.jobs.services.config.sizes)?;
        record.rollup_id = admitted.as_ref().and_then(Request::rollup_id);
        let answer = self.jobs.callers.wait(frame.ticket);
        let wait = self.wait(&frame, &record, answer);
        let outcome = self.jobs.services.retry.unless_stopped(wait).await;
        let outcome = outcome.unwrap_or(Err(AskError::Stopping));
        self.jobs.callers.forget(frame.ticket);
        if outcome.is_err() {
            let ledger = &self.jobs.services.ledger;
            // `Err`: the bridge stops, and the next one closes the ticket.
            let _ = ledger.close_ticket(frame.ticket).await;
        }
        outcome
    }

    async fn wait(
        &self,
        frame: &Frame,
        record: &JobRecord,
        mut answer: oneshot::Receiver<Answer>,
    ) -> Result<Bytes, AskError> {
        // Before anything can happen to the job.
        let mut events = self.jobs.services.journal.events().subscribe();
        let ticket = new_ticket(frame, LOCAL.to_owned(), record.id);
        let ledger = &self.jobs.services.ledger;
        let taken = ledger.take(&ticket, record, &frame.data).await?;
        self.jobs
            .requests
            .remember(&taken.job, &frame.data, taken.new_job);
        self.jobs.services.journal.taken(ticket, &taken);
        if taken.job.state == JobState::Dead {
            return Err(given_up(taken.job.reason));
        }
        self.jobs.dispatch.join(&taken.job).await;
        loop {
            tokio::select! {
                answer = &mut answer => return match answer {
                    Ok(Answer::Reply(verified)) => Ok(verified.reply().clone()),
                    Ok(Answer::Rejected(rejection)) => {
                        Err(AskError::Rejected(rejection.reason().to_owned()))
                    }
                    Err(_) => Err(AskError::Stopping),
                },
                event = events.recv() => self.unless_dead(record.id, event).await?,
            }
        }
    }

    /// Fails when an event says that a job was given up on.
    async fn unless_dead(
        &self,
        job: JobId,
        event: Result<JobEvent, RecvError>,
    ) -> Result<(), AskError> {
        match event {
            Ok(event) => match event.what {
                JobEventKind::Dead { reason } if event.job == job => Err(given_up(Some(reason))),
                _ => Ok(()),
            },
            // Events were missed: the ledger knows.
            Err(RecvError::Lagged(_)) => match self.jobs.services.ledger.job(job).await? {
                Some(record) if record.state == JobState::Dead => Err(given_up(record.reason)),
                _ => Ok(()),
            },
            Err(RecvError::Closed) => Ok(()),
        }
    }
}

fn given_up(reason: Option<String>) -> AskError {
    AskError::GivenUp(reason.unwrap_or_else(|| "the job was given up on".to_owned()))
}
