//! Repeats calls until they succeed or the bridge stops.

use std::{fmt::Display, future::Future, time::Duration};

use tokio_util::sync::CancellationToken;
use zkwhirl_job::clock::Backoff;

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
