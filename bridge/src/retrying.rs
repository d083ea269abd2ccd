//! Wrappers of ledger and broker that repeat calls until they succeed or the bridge stops.

use std::sync::Arc;

use bytes::Bytes;
use zkwhirl_broker_adapter::{Broker, Control, DeadLetter, ResultConsumer};
use zkwhirl_job::{AttemptRecord, JobId, TicketId};
use zkwhirl_ledger::{
    JobRecord, JobState, Ledger, Note, StoredResult, Taken, Ticket, UnverifiedReply,
};

use crate::retry::{Retry, Stopped};

/// A [`Ledger`] whose calls are repeated until they succeed.
#[derive(Debug, Clone)]
pub(crate) struct RetryingLedger {
    once: Arc<dyn Ledger>,
    retry: Retry,
}

/// A [`Broker`] whose calls are repeated until they succeed.
#[derive(Debug, Clone)]
pub(crate) struct RetryingBroker {
    once: Arc<dyn Broker>,
    retry: Retry,
}

/// Makes methods of the same names and arguments as the trait's; the text completes
/// the log line "cannot …, the bridge tries again".
macro_rules! repeated {
    ($of:ident: $($what:literal $name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {
        impl $of {
            $(pub(crate) async fn $name(&self, $($arg: $type),*) -> Result<$out, Stopped> {
                self.retry.until_done($what, || self.once.$name($($arg),*)).await
            })*
        }
    };
}

repeated! { RetryingLedger:
    "take a ticket into the ledger"
        take(ticket: &Ticket, job: &JobRecord, request: &Bytes) -> Taken;
    "list tickets" open_tickets() -> Vec<Ticket>;
    "list the tickets of a job" tickets_of(job: JobId) -> Vec<Ticket>;
    "close a ticket" close_ticket(ticket: TicketId) -> bool;
    "read a job" job(job: JobId) -> Option<JobRecord>;
    "list jobs" jobs(states: &[JobState], limit: usize) -> Vec<JobRecord>;
    "change the state of a job"
        transition(job: JobId, from: &[JobState], to: JobState, note: &Note) -> bool;
    "read a request" request(job: JobId) -> Option<Bytes>;
    "store a result" store_result(job: JobId, result: &StoredResult) -> bool;
    "read a result" result(job: JobId) -> Option<StoredResult>;
    "drop a result" drop_result(job: JobId) -> ();
    "store an unverified reply" store_unverified(job: JobId, result: &StoredResult) -> ();
    "read an unverified reply" unverified(job: JobId) -> Option<UnverifiedReply>;
    "list unverified replies" unverified_jobs() -> Vec<JobId>;
    "drop an unverified reply" drop_unverified(job: JobId) -> ();
    "record a failed attempt" add_attempt(job: JobId, attempt: &AttemptRecord) -> ();
    "read attempts" attempts(job: JobId) -> Vec<AttemptRecord>;
}

repeated! { RetryingBroker:
    "consume results" results() -> Box<dyn ResultConsumer>;
    "publish a dead letter" bury(letter: &DeadLetter) -> ();
    "read a dead letter" dead_letter(job: JobId) -> Option<DeadLetter>;
    "remove a dead letter" remove_dead(job: JobId) -> bool;
}

impl RetryingLedger {
    pub(crate) fn new(once: Arc<dyn Ledger>, retry: Retry) -> Self {
        Self { once, retry }
    }

    /// The ledger itself, whose calls may fail.
    pub(crate) fn once(&self) -> &Arc<dyn Ledger> {
        &self.once
    }
}

impl RetryingBroker {
    pub(crate) fn new(once: Arc<dyn Broker>, retry: Retry) -> Self {
        Self { once, retry }
    }

    /// The broker itself, whose calls may fail.
    pub(crate) fn once(&self) -> &Arc<dyn Broker> {
        &self.once
    }

    /// Tells workers to stop proving a job. A worker that misses the message proves the
    /// job in vain.
    pub(crate) async fn cancel(&self, job: JobId) {
        if let Err(error) = self.once.send_control(&Control::Cancel { job }).await {
            tracing::debug!(job = %job, "cannot tell workers to cancel the unwanted job: {error}");
        }
    }
}
