//! The long poll of one upstream.

use std::{collections::VecDeque, pin::pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;
use zkwhirl_job::Frame;

use super::{Client, ClientError, Link, Polled, client::CONNECT};
use zkwhirl_job::clock::Backoff;

/// A poll that has waited for this long is connected: making a connection takes
/// less.
const STANDS: Duration = CONNECT.saturating_add(Duration::from_secs(1));

/// Where the jobs go.
#[async_trait]
pub(crate) trait Sink: Send + Sync {
    /// A job has arrived: keeps its lease from now on, and does not wait.
    fn seen(&self, link: &Link, frame: &Frame);

    /// Takes a job that was seen. The next poll goes on meanwhile, and the next
    /// job is prepared; what must keep the order of the jobs' arrival waits for
    /// the predecessor.
    async fn take(&self, link: &Link, frame: Frame, predecessor: Predecessor);
}

/// The job that arrived before another.
#[derive(Debug)]
pub(crate) struct Predecessor(oneshot::Receiver<()>);

impl Predecessor {
    /// The predecessor of the first job: there is none.
    fn none() -> Self {
        Self(oneshot::channel().1)
    }

    /// The predecessor of the next job. The job after it waits until the sender
    /// that is returned beside it is dropped.
    fn next(&mut self) -> (Self, oneshot::Sender<()>) {
        let (done, after) = oneshot::channel();
        (std::mem::replace(self, Self(after)), done)
    }

    /// Waits until the jobs before are taken.
    pub(crate) async fn taken(self) {
        // No value is ever sent: the job before is done, however it ended.
        let _ = self.0.await;
    }
}

/// Jobs of an upstream that are prepared at once: hashing and packing a large
/// request takes longer than receiving the next.
const UNDER_WAY: usize = 4;

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
        let mut taking = VecDeque::new();
        let mut predecessors = Predecessor::none();
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
                    if taking.len() == UNDER_WAY {
                        finish(taking.pop_front()).await;
                    }
                    let (sink, link) = (self.sink.clone(), self.link.clone());
                    let (predecessor, done) = predecessors.next();
                    taking.push_back(tokio::spawn(async move {
                        let _done = done;
                        sink.take(&link, frame, predecessor).await;
                    }));
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
        for job in taking {
            finish(Some(job)).await;
        }
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
        // A bug. Falafel's lease is kept: nothing is lost, an operator must look.
        tracing::error!("a job could not be taken: {error}");
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
