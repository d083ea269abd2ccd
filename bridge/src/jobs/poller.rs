//! The long poll of one upstream.

use std::{collections::VecDeque, convert::Infallible, pin::pin, sync::Arc, time::Duration};

use tokio::{task::JoinHandle, time::timeout};
use zkwhirl_job::{Frame, clock::Backoff};

use super::intake::{self, Predecessor};
use crate::{
    falafel::{CONNECT, Client, ClientError, UpstreamLink},
    retry::Stopped,
    state::BridgeState,
};

/// How long a poll must wait to count as connected: connecting takes at most `CONNECT`.
const STANDS: Duration = CONNECT.saturating_add(Duration::from_secs(1));

/// How many jobs of an upstream are prepared at the same time: hashing and packing a
/// large request takes longer than receiving the next.
const UNDER_WAY: usize = 4;

/// Polls one upstream until the bridge takes no more jobs; then waits for its end.
pub(crate) async fn run(
    bridge: Arc<BridgeState>,
    link: Arc<UpstreamLink>,
) -> Result<Infallible, Stopped> {
    let client = Client::new(link.upstream.base.clone());
    let mut backoff = Backoff::new(
        Duration::from_millis(100),
        bridge.config.timing.longest_pause,
    );
    let mut failures = 0u64;
    let mut taking = VecDeque::new();
    let mut predecessors = Predecessor::none();
    while !bridge.closed.is_cancelled() {
        link.poll_started();
        let polled = tokio::select! {
            // Only the end of the process ends a poll: it leaves a ghost
            // poller that swallows Falafel's next job for 5–6 s.
            () = bridge.closed.cancelled() => break,
            polled = poll(&link, &client) => polled,
        };
        match polled {
            Ok(Some(frame)) => {
                link.answered();
                backoff.reset();
                failures = 0;
                let upstream = link.upstream.name.clone();
                // Before any step that can fail or wait: 5 s are left.
                bridge.tickets.arrived(frame.ticket, &upstream);
                if taking.len() == UNDER_WAY {
                    finish(taking.pop_front()).await;
                }
                let (predecessor, done) = predecessors.next();
                let take = intake::take(bridge.clone(), upstream, frame, predecessor);
                taking.push_back(tokio::spawn(async move {
                    let _done = done;
                    take.await;
                }));
                continue;
            }
            Ok(None) => link.answered(),
            Err(error) => {
                failures += 1;
                failed(&link, &error, failures);
            }
        }
        tokio::select! {
            () = bridge.closed.cancelled() => break,
            () = tokio::time::sleep(backoff.pause()) => {}
        }
    }
    for job in taking {
        finish(Some(job)).await;
    }
    // A bridge that takes no more jobs continues without its pollers.
    bridge.retry.unless_stopped(std::future::pending()).await
}

async fn poll(link: &UpstreamLink, client: &Client) -> Result<Option<Frame>, ClientError> {
    let mut poll = pin!(client.get_job());
    let polled = match timeout(STANDS, &mut poll).await {
        Ok(polled) => polled,
        Err(_) => {
            link.poll_stands(true);
            poll.await
        }
    };
    link.poll_stands(false);
    polled
}

fn failed(link: &UpstreamLink, error: &ClientError, failures: u64) {
    match error {
        ClientError::Connect(..) => link.refused(),
        ClientError::Broken(..) => link.poll_lost(),
        // The server gave a wrong answer, but it is reachable.
        ClientError::Status(..) | ClientError::Garbage(..) => link.answered(),
    }
    let upstream = &link.upstream;
    let refused = matches!(error, ClientError::Connect(..));
    if upstream.optional && refused {
        tracing::debug!(
            upstream = upstream.name,
            "cannot poll Falafel's job server, which may be closed on purpose: {error}"
        );
    } else if failures.is_power_of_two() {
        // Logged at the first failure, then ever more rarely.
        tracing::warn!(
            upstream = upstream.name,
            failures,
            "cannot poll Falafel's job server, the bridge tries again: {error}"
        );
    }
}

/// Waits until a job is taken, if one is being taken.
async fn finish(taking: Option<JoinHandle<()>>) {
    if let Some(taking) = taking
        && let Err(error) = taking.await
    {
        // A bug in the bridge: an operator must report it.
        tracing::error!(
            "the bridge panicked while it took a job from Falafel; the ticket stays pinged until a restart of the bridge: {error}"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn jobs_are_taken_in_order_however_long_each_is_prepared() {
        let mut predecessors = Predecessor::none();
        let taken = Arc::new(Mutex::new(Vec::new()));
        let jobs = (0..4u64).map(|number| {
            let (predecessor, done) = predecessors.next();
            let taken = taken.clone();
            tokio::spawn(async move {
                let _done = done;
                tokio::time::sleep(Duration::from_secs(10 - number)).await;
                predecessor.taken().await;
                taken.lock().unwrap().push(number);
            })
        });
        for job in jobs.collect::<Vec<_>>() {
            finish(Some(job)).await;
        }
        assert_eq!(*taken.lock().unwrap(), [0, 1, 2, 3]);
    }

    #[tokio::test]
    async fn a_job_that_fails_does_not_hold_up_the_next() {
        let mut predecessors = Predecessor::none();
        let (_, done) = predecessors.next();
        let failed = tokio::spawn(async move {
            let _done = done;
            panic!("a bug");
        });
        predecessors.taken().await;
        assert!(failed.await.is_err());
    }
}
