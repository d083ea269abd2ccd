//! Jobs that somebody in this process asks for: a caller of the HTTP API.
//!
//! Such a job is like any other: its ticket is in the ledger, equal requests of
//! Falafel's are the same job, it is queued, retried and verified. Only its
//! answer goes to the caller, and a job that was given up on is an answer, too:
//! a caller can ask again, Falafel cannot.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use rand::Rng;
use tokio::sync::{Semaphore, broadcast::error::RecvError, oneshot};
use zkwhirl_job::{Command, Frame, JobId, Request, TicketId};

use super::{
    BridgeHandle,
    requests::{self, admit},
    shared::{Guarded, Shared},
};
use crate::falafel::Answer;
use zkwhirl_job::clock;
use zkwhirl_ledger::{
    JobRecord, JobState, Ticket,
    events::{JobEvent, What},
};

/// The upstream of such tickets. It is no server: nobody is pinged.
pub(super) const LOCAL: &str = "local";

/// Callers that may wait at once.
const CALLERS: usize = 1_024;

/// Why a caller gets no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// It can never be a request.
    #[error("{0}")]
    Inadmissible(String),
    /// The job is a dead letter.
    #[error("{0}")]
    GivenUp(String),
    /// An operator said no.
    #[error("rejected: {0}")]
    Rejected(String),
    /// Too many callers wait.
    #[error("{CALLERS} callers wait already")]
    Busy,
    /// The bridge stops.
    #[error("the server is stopping")]
    Stopping,
}

/// The callers that wait.
#[derive(Debug)]
pub(super) struct Callers {
    waiting: Guarded<HashMap<TicketId, oneshot::Sender<Answer>>>,
    places: Semaphore,
}

impl Default for Callers {
    fn default() -> Self {
        Self {
            waiting: Guarded::default(),
            places: Semaphore::new(CALLERS),
        }
    }
}

impl Callers {
    /// Whether somebody waits with this ticket.
    pub(super) fn hold(&self, ticket: TicketId) -> bool {
        self.waiting.lock().contains_key(&ticket)
    }

    /// Answers a ticket.
    pub(super) fn answer(&self, ticket: TicketId, answer: &Answer) {
        if let Some(caller) = self.waiting.lock().remove(&ticket) {
            // One that gave up waiting has lost nothing: the result is stored.
            let _ = caller.send(answer.clone());
        }
    }
}

impl BridgeHandle {
    /// Asks for a proof or a verification key and waits for it. Dropping the
    /// future gives up waiting, not the job.
    pub async fn ask(&self, command: Command, data: Bytes) -> Result<Bytes, AskError> {
        let shared = self.shared.clone();
        let asked = self
            .shared
            .tasks
            .spawn(async move { shared.attend(command, data).await });
        asked.await.unwrap_or(Err(AskError::Stopping))
    }
}

impl Shared {
    async fn attend(self: Arc<Self>, command: Command, data: Bytes) -> Result<Bytes, AskError> {
        if self.closed.is_cancelled() {
            return Err(AskError::Stopping);
        }
        let place = self.callers.places.try_acquire();
        let _place = place.map_err(|_| AskError::Busy)?;
        let mut frame = Frame {
            ticket: TicketId(rand::thread_rng().r#gen()),
            command: command.code(),
            data,
        };
        let mut record = requests::record(&mut frame);
        let admitted = admit(&record, &frame.data, self.config.sizes);
        let admitted = admitted.map_err(AskError::Inadmissible)?;
        record.rollup_id = admitted.as_ref().and_then(Request::rollup_id);
        let (caller, answer) = oneshot::channel();
        self.callers.waiting.lock().insert(frame.ticket, caller);
        let outcome = tokio::select! {
            () = self.stop.cancelled() => Err(AskError::Stopping),
            outcome = self.wait(&frame, &record, answer) => outcome,
        };
        self.callers.waiting.lock().remove(&frame.ticket);
        if outcome.is_err() {
            let ledger = &self.deps.ledger;
            self.insist("close a ticket", || ledger.close_ticket(frame.ticket))
                .await;
        }
        outcome
    }

    async fn wait(
        self: &Arc<Self>,
        frame: &Frame,
        record: &JobRecord,
        mut answer: oneshot::Receiver<Answer>,
    ) -> Result<Bytes, AskError> {
        let ledger = &self.deps.ledger;
        // Before anything can happen to the job.
        let mut events = self.deps.events.subscribe();
        let ticket = Ticket {
            id: frame.ticket,
            upstream: LOCAL.to_owned(),
            job: record.id,
            taken_at_ms: clock::now_ms(),
        };
        let taken = self.insist("take a ticket into the ledger", || {
            ledger.take(&ticket, record, &frame.data)
        });
        let taken = taken.await.ok_or(AskError::Stopping)?;
        self.count(ticket, &taken);
        if taken.job.state == JobState::Dead {
            return Err(given_up(taken.job.reason));
        }
        self.join(&taken.job).await;
        loop {
            tokio::select! {
                answer = &mut answer => return match answer {
                    Ok(Answer::Reply(reply)) => Ok(reply),
                    Ok(Answer::Rejected(reason)) => Err(AskError::Rejected(reason)),
                    Err(_) => Err(AskError::Stopping),
                },
                event = events.recv() => {
                    if let Some(reason) = self.died(record.id, event).await {
                        return Err(given_up(reason));
                    }
                }
            }
        }
    }

    /// Whether an event says that a job was given up on, and why.
    async fn died(&self, job: JobId, event: Result<JobEvent, RecvError>) -> Option<Option<String>> {
        match event {
            Ok(event) => match event.what {
                What::Dead { reason } if event.job == job => Some(Some(reason)),
                _ => None,
            },
            // Events were missed: the ledger knows.
            Err(RecvError::Lagged(_)) => {
                let ledger = &self.deps.ledger;
                let record = self.insist("read a job", || ledger.job(job)).await??;
                (record.state == JobState::Dead).then_some(record.reason)
            }
            Err(RecvError::Closed) => None,
        }
    }
}

fn given_up(reason: Option<String>) -> AskError {
    AskError::GivenUp(reason.unwrap_or_else(|| "the job was given up on".to_owned()))
}
