//! Waiting for what must happen, on tokio's clock. No test sleeps to wait.

use std::{future::Future, panic::Location, time::Duration};

use tokio::time::{sleep, timeout};

/// How long a test waits before it fails. Patience costs nothing when things go
/// well: this is longer than anything takes on two cores with a load of 25. Three
/// rollups with real proofs take seven minutes there at a load of 13.
pub const PATIENCE: Duration = Duration::from_secs(1200);

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(5);

/// The future's output; panics with `what` after [`PATIENCE`].
#[track_caller]
pub fn within<T>(what: &str, future: impl Future<Output = T>) -> impl Future<Output = T> {
    let caller = Location::caller();
    async move {
        let waited = timeout(PATIENCE, future).await;
        waited.unwrap_or_else(|_| panic!("{what}: not within {PATIENCE:?} ({caller})"))
    }
}

/// Asks again until there is an answer; panics with `what` after [`PATIENCE`].
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

/// Asks again until the answer is yes; panics with `what` after [`PATIENCE`].
#[track_caller]
pub fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) -> impl Future<Output = ()> {
    until_some(what, async move || holds().await.then_some(()))
}
