use std::collections::HashMap;

use tokio::sync::{Semaphore, SemaphorePermit, oneshot};
use zkwhirl_job::TicketId;

use crate::{falafel::Answer, locked::Locked};

/// The upstream of callers' tickets. It is no server: its tickets are not
/// pinged.
pub(crate) const LOCAL: &str = "local";

/// Callers in this process that wait for an answer.
#[derive(Debug)]
pub(crate) struct Callers {
    waiting: Locked<HashMap<TicketId, oneshot::Sender<Answer>>>,
    permits: Semaphore,
}

impl Callers {
    /// Callers that may wait at once.
    pub(crate) const MOST: usize = 1_024;

    pub(crate) fn new() -> Self {
        Self {
            waiting: Locked::default(),
            permits: Semaphore::new(Self::MOST),
        }
    }

    /// Admits a caller for as long as the permit is held; `None`: too many
    /// wait.
    pub(crate) fn admit(&self) -> Option<SemaphorePermit<'_>> {
        self.permits.try_acquire().ok()
    }

    /// Waits with a ticket.
    pub(crate) fn wait(&self, ticket: TicketId) -> oneshot::Receiver<Answer> {
        let (caller, answer) = oneshot::channel();
        self.waiting.lock().insert(ticket, caller);
        answer
    }

    /// Whether a caller waits with this ticket.
    pub(crate) fn has(&self, ticket: TicketId) -> bool {
        self.waiting.lock().contains_key(&ticket)
    }

    /// Ends a wait without an answer.
    pub(crate) fn forget(&self, ticket: TicketId) {
        self.waiting.lock().remove(&ticket);
    }

    /// Answers a ticket.
    pub(crate) fn answer(&self, ticket: TicketId, answer: &Answer) {
        if let Some(caller) = self.waiting.lock().remove(&ticket) {
            // One that gave up waiting has lost nothing: the result is stored.
            let _ = caller.send(answer.clone());
        }
    }
}
