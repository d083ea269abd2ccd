//! Signals: the first requests a drain, the second an immediate end.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

#[derive(Debug, Clone, Default)]
pub(crate) struct Shutdown {
    /// Claim no more and finish what is under way.
    pub(crate) drain: CancellationToken,
    /// Give up what is under way and leave.
    pub(crate) abort: CancellationToken,
}

impl Shutdown {
    /// Cancels `drain` at the first SIGINT or SIGTERM and `abort` at the
    /// second. `say` is told of each.
    pub(crate) fn on_signals(say: impl Fn(&str) + Send + 'static) -> anyhow::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let shutdown = Self::default();
        let told = shutdown.clone();
        tokio::spawn(async move {
            for (token, message) in [
                (
                    &told.drain,
                    "draining: finishing what is claimed (once more to leave at once)",
                ),
                (&told.abort, "leaving at once"),
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
