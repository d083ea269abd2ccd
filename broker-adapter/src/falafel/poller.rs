//! The long poll of one upstream.

use std::{pin::pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;
use zkwhirl_job::Frame;

use super::{Client, ClientError, Link, Polled, client::CONNECT};
use crate::clock::Backoff;

/// A poll that waits for so long is connected: see the client's own limit.
const STANDS: Duration = CONNECT.saturating_add(Duration::from_secs(1));

/// Where the jobs go.
#[async_trait]
pub(crate) trait Sink: Send + Sync {
    /// A job has arrived: keeps its lease from now on, and does not wait.
    fn seen(&self, link: &Link, frame: &Frame);

    /// Takes a job that was seen. The next poll goes on meanwhile, but the next
    /// job is taken only when this returns, so that jobs keep the order of their
    /// arrival.
    async fn take(&self, link: &Link, frame: Frame);
}

/// Polls one upstream until the token is cancelled.
pub(crate) struct Poller {
    pub(crate) link: Arc<Link>,
    pub(crate) sink: Arc<dyn Sink>,
    /// The longest pause after a failure.
    pub(crate) longest: Duration,
}

impl Poller {
    pub(crate) async fn run(self, stop: CancellationToken) {
        let client = Client::new(self.link.upstream.base.clone());
        let mut backoff = Backoff::new(Duration::from_millis(100), self.longest);
        let mut failures = 0u64;
        let mut taking = None;
        while !stop.is_cancelled() {
            self.link.poll_started();
            let polled = tokio::select! {
                // Only the end of the process ends a poll: it leaves a ghost
                // poller that swallows Falafel's next job for 5–6 s.
                () = stop.cancelled() => break,
                polled = self.poll(&client) => polled,
            };
            match polled {
                Ok(Polled::Job(frame)) => {
                    self.link.answered();
                    backoff.reset();
                    failures = 0;
                    self.sink.seen(&self.link, &frame);
                    finish(taking.take()).await;
                    let (sink, link) = (self.sink.clone(), self.link.clone());
                    taking = Some(tokio::spawn(async move { sink.take(&link, frame).await }));
                    continue;
                }
                Ok(Polled::Empty) => self.link.answered(),
                Err(error) => {
                    failures += 1;
                    self.failed(&error, failures);
                }
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(backoff.pause()) => {}
            }
        }
        finish(taking).await;
    }

    async fn poll(&self, client: &Client) -> Result<Polled, ClientError> {
        let mut poll = pin!(client.get_job());
        let polled = match timeout(STANDS, &mut poll).await {
            Ok(polled) => polled,
            Err(_) => {
                self.link.poll_stands(true);
                poll.await
            }
        };
        self.link.poll_stands(false);
        polled
    }

    fn failed(&self, error: &ClientError, failures: u64) {
        match error {
            ClientError::Connect { .. } => self.link.refused(),
            ClientError::Broken { .. } => self.link.poll_lost(),
            // It answered: nonsense, but it is there.
            ClientError::Status { .. } | ClientError::Garbage { .. } => self.link.answered(),
        }
        let upstream = &self.link.upstream;
        let refused = matches!(error, ClientError::Connect { .. });
        if upstream.optional && refused {
            tracing::debug!(upstream = upstream.name, "{error}; it may be closed");
        } else if failures.is_power_of_two() {
            // The first, and then ever fewer: an outage is one story.
            tracing::warn!(upstream = upstream.name, failures, "{error}; trying again");
        }
    }
}

/// Waits until a job is taken, if one is on its way.
async fn finish(taking: Option<JoinHandle<()>>) {
    if let Some(taking) = taking
        && let Err(error) = taking.await
    {
        // A bug, and Falafel's lease is kept: nothing is lost, somebody must look.
        tracing::error!("a job could not be taken: {error}");
    }
}
