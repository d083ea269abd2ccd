//! Calls that are repeated until they succeed or the bridge stops, those of ledger
//! and broker among them.

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

/// The bridge stops. What was begun stays as it is in ledger and broker; the
/// next start, or another bridge, takes it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bridge is stopping")]
pub(crate) struct Stopped;

/// How the bridge repeats calls.
#[derive(Debug, Clone)]
pub(crate) struct Retry {
    longest: Duration,
    stop: CancellationToken,
}

impl Retry {
    /// Pauses of at most `longest`, until `stop` is cancelled.
    pub(crate) fn new(longest: Duration, stop: CancellationToken) -> Self {
        Self { longest, stop }
    }

    /// Calls until a call succeeds, with growing pauses. `what` completes the
    /// log line "cannot … yet". A call that runs when the bridge stops is not
    /// interrupted.
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
                tracing::warn!(failures, "cannot {what} yet: {error}");
            }
            self.pause(backoff.pause()).await?;
        }
    }

    /// The pauses between two calls.
    pub(crate) fn backoff(&self) -> Backoff {
        Backoff::new(FIRST, self.longest)
    }

    /// Waits for a while.
    pub(crate) async fn pause(&self, time: Duration) -> Result<(), Stopped> {
        self.unless_stopped(tokio::time::sleep(time)).await
    }

    /// Waits for `work`; drops it when the bridge stops first.
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

/// See [`Ledger`].
#[derive(Debug, Clone)]
pub(crate) struct RetryingLedger {
    once: Arc<dyn Ledger>,
    retry: Retry,
}

/// See [`Broker`].
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
    "note an attempt" add_attempt(job: JobId, attempt: &AttemptRecord) -> ();
    "read attempts" attempts(job: JobId) -> Vec<AttemptRecord>;
}

repeated! { RetryingBroker:
    "consume results" results() -> Box<dyn ResultConsumer>;
    "bury a job" bury(letter: &DeadLetter) -> ();
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

    /// Tells workers to stop proving a job. A worker that does not hear of it
    /// proves for nothing.
    pub(crate) async fn cancel(&self, job: JobId) {
        if let Err(error) = self.once.send_control(&Control::Cancel { job }).await {
            tracing::debug!(job = %job, "cannot tell workers to stop: {error}");
        }
    }
}
