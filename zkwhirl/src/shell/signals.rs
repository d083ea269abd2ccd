//! Signals: the first requests a drain, the second an immediate end.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

#[derive(Debug, Clone, Default)]
pub(crate) struct Shutdown {
    /// Cancelled to stop claiming and finish the running jobs.
    pub(crate) drain: CancellationToken,
    /// Cancelled to abort the running jobs and exit.
    pub(crate) abort: CancellationToken,
}

impl Shutdown {
    /// Cancels `drain` at the first SIGINT or SIGTERM and `abort` at the
    /// second. Calls `say` with a message at each signal.
    pub(crate) fn on_signals(say: impl Fn(&str) + Send + 'static) -> anyhow::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let shutdown = Self::default();
        let told = shutdown.clone();
        tokio::spawn(async move {
            for (token, message) in [
                (
                    &told.drain,
                    "draining: finishing the claimed jobs (signal again to exit at once)",
                ),
                (&told.abort, "exiting at once"),
            ] {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                say(message);
                token.cancel();
            }
        });
        Ok(shutdown)
    }
}
