//! Repeats calls, those of ledger and broker among them, until they succeed or the
//! bridge stops.

use std::{fmt::Display, future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use zkwhirl_broker_adapter::{Broker, Control, DeadLetter, ResultConsumer};
use zkwhirl_job::{AttemptRecord, JobId, TicketId, clock::Backoff};
use zkwhirl_ledger::{
    JobRecord, JobState, Ledger, Note, StoredResult, Taken, Ticket, UnverifiedReply,
};

/// The first pause before a call is repeated.
const FIRST: Duration = Duration::from_millis(20);

/// The bridge stops. Unfinished work stays in ledger and broker, where the next start or
/// another bridge takes it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bridge is stopping")]
pub(crate) struct Stopped;

/// Repeats calls with growing pauses.
#[derive(Debug, Clone)]
pub(crate) struct Retry {
    longest: Duration,
    stop: CancellationToken,
}

impl Retry {
    /// Makes pauses of at most `longest`, until `stop` is cancelled.
    pub(crate) fn new(longest: Duration, stop: CancellationToken) -> Self {
        Self { longest, stop }
    }

    /// Repeats a call until it succeeds. `what` completes the log line "cannot …, the
    /// bridge tries again". A call that runs when the bridge stops is not interrupted.
    pub(crate) async fn until_done<T, E, F, Fut>(&self, what: &str, call: F) -> Result<T, Stopped>
    where
        E: Display,
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let mut backoff = self.backoff();
        let mut failures = 0u64;
        loop {
            let error = match call().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            failures += 1;
            if failures.is_power_of_two() {
                tracing::warn!(failures, "cannot {what}, the bridge tries again: {error}");
            }
            self.pause(backoff.pause()).await?;
        }
    }

    /// Makes the pauses between two calls.
    pub(crate) fn backoff(&self) -> Backoff {
        Backoff::new(FIRST, self.longest)
    }

    /// Waits for `time`, unless the bridge stops first.
    pub(crate) async fn pause(&self, time: Duration) -> Result<(), Stopped> {
        self.unless_stopped(tokio::time::sleep(time)).await
    }

    /// Waits for `work`, or drops it if the bridge stops first.
    pub(crate) async fn unless_stopped<T>(
        &self,
        work: impl Future<Output = T>,
    ) -> Result<T, Stopped> {
        tokio::select! {
            () = self.stop.cancelled() => Err(Stopped),
            value = work => Ok(value),
        }
    }
}

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

/// Methods of the same names and arguments as the trait's; the text completes
/// "cannot … yet".
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
