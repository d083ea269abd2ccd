//! Waiting for events, on tokio's clock. No test sleeps for a fixed time instead.

use std::{future::Future, panic::Location, time::Duration};

use tokio::time::{sleep, timeout};

/// How long a test waits before it fails. A passing test does not wait so long: no
/// step takes as long, even on two cores with a load of 25. Three rollups with real
/// proofs take seven minutes on two cores with a load of 13.
pub const PATIENCE: Duration = Duration::from_secs(1200);

/// Pause between two checks.
const PAUSE: Duration = Duration::from_millis(5);

/// Awaits a future and returns its output; panics with `what` after [`PATIENCE`].
#[track_caller]
pub fn within<T>(what: &str, future: impl Future<Output = T>) -> impl Future<Output = T> {
    let caller = Location::caller();
    async move {
        let waited = timeout(PATIENCE, future).await;
        waited.unwrap_or_else(|_| panic!("{what}: not within {PATIENCE:?} ({caller})"))
    }
}

/// Calls `ask` until it returns `Some`; panics with `what` after [`PATIENCE`].
#[track_caller]
pub fn until_some<T>(
    what: &str,
    mut ask: impl AsyncFnMut() -> Option<T>,
) -> impl Future<Output = T> {
    within(what, async move {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            sleep(PAUSE).await;
        }
    })
}

/// Calls `holds` until it returns true; panics with `what` after [`PATIENCE`].
#[track_caller]
pub fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) -> impl Future<Output = ()> {
    until_some(what, async move || holds().await.then_some(()))
}
