//! From the ledger to the broker: one loop per topic publishes jobs in the
//! order of their arrival, and waits while the broker is away.

use std::{collections::HashSet, convert::Infallible, future::Future, pin::pin, sync::Arc};

use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;
use zkwhirl_broker_adapter::{BrokerError, Rung};
use zkwhirl_job::{AttemptRecord, JobId, Kind, Topic, envelope::JobEnvelope};
use zkwhirl_ledger::{JobEventKind, JobRecord, JobState, Note};
use zkwhirl_telemetry::trace::Trace;

use super::{endings::Endings, requests::Requests};
use crate::{journal::Death, locked::Locked, retry::Stopped, services::Services};

/// The exchange of jobs, as traces name it.
const EXCHANGE: &str = "zkwhirl.jobs";

/// Jobs that wait for their publishing before the poll waits too.
const BACKLOG: usize = 1_024;

/// Jobs of a topic that are on their way to the broker at once: a confirm takes
/// as long as the broker's disk. They are sent in the order of their arrival;
/// only what has to be sent again may fall behind.
const UNDER_WAY: usize = 8;

/// Publishes jobs.
#[derive(Debug)]
pub(crate) struct Publisher {
    services: Services,
    requests: Arc<Requests>,
    endings: Arc<Endings>,
    topics: [mpsc::Sender<JobRecord>; 2],
    /// Jobs that wait for their publishing.
    waiting: Locked<HashSet<JobId>>,
}

/// The jobs of one topic that wait for their publishing.
#[derive(Debug)]
pub(crate) struct Backlog {
    pub(crate) topic: Topic,
    jobs: mpsc::Receiver<JobRecord>,
}

impl Publisher {
    /// A publisher, and the backlog of each topic: see [`Publisher::run`].
    pub(crate) fn new(
        services: Services,
        requests: Arc<Requests>,
        endings: Arc<Endings>,
    ) -> (Self, [Backlog; 2]) {
        let (inner, inner_jobs) = mpsc::channel(BACKLOG);
        let (outer, outer_jobs) = mpsc::channel(BACKLOG);
        let publisher = Self {
            services,
            requests,
            endings,
            topics: [inner, outer],
            waiting: Locked::default(),
        };
        let backlog = |topic, jobs| Backlog { topic, jobs };
        let backlogs = [
            backlog(Topic::Inner, inner_jobs),
            backlog(Topic::Outer, outer_jobs),
        ];
        (publisher, backlogs)
    }

    /// Queues a job for publishing; once, however often it is asked. Waits
    /// while the backlog is full. A job of no known kind is not published.
    pub(crate) async fn queue(&self, job: &JobRecord) {
        let Some(kind) = job.kind else {
            return;
        };
        if !self.waiting.lock().insert(job.id) {
            return;
        }
        let topic = match kind.topic() {
            Topic::Inner => &self.topics[0],
            Topic::Outer => &self.topics[1],
        };
        if topic.send(job.clone()).await.is_err() {
            // The bridge stops; the next start takes the job up again.
            self.waiting.lock().remove(&job.id);
        }
    }

    /// Publishes a backlog until the bridge stops.
    pub(crate) async fn run(self: Arc<Self>, mut backlog: Backlog) -> Result<Infallible, Stopped> {
        let this = &*self;
        let published = stream::poll_fn(|context| backlog.jobs.poll_recv(context))
            .map(|job| async move { (job.id, this.item(job.id, this.prepare(job)).await) })
            .buffered(UNDER_WAY)
            .map(|(id, prepared)| async move {
                let done = match prepared {
                    Ok(Some(Some((job, envelope)))) => {
                        this.item(id, this.publish(&job, &envelope)).await.map(drop)
                    }
                    prepared => prepared.map(drop),
                };
                this.waiting.lock().remove(&id);
                done
            })
            .buffered(UNDER_WAY);
        let mut published = pin!(published);
        loop {
            let done = self.services.retry.unless_stopped(published.next());
            // The senders are this publisher's own: there is always a next job.
            done.await?.unwrap_or(Err(Stopped))?;
        }
    }

    /// Work on one job; a panic parks the job. In place: with a task of its own
    /// for each job, the jobs would lose their order.
    async fn item<T>(
        &self,
        job: JobId,
        work: impl Future<Output = Result<T, Stopped>>,
    ) -> Result<Option<T>, Stopped> {
        let worked = self.services.tasks.item_in_place("publishing", work).await;
        self.endings.park_if_panicked(job, worked).await
    }

    /// Jobs that wait for their publishing.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.lock().len()
    }

    /// A job with its message; `None`: there is nothing to publish any more.
    async fn prepare(&self, job: JobRecord) -> Result<Option<(JobRecord, JobEnvelope)>, Stopped> {
        let Some(kind) = job.kind else {
            return Ok(None);
        };
        let (job, history) = if job.is_new() {
            (job, Vec::new())
        } else {
            let ledger = &self.services.ledger;
            let record = ledger.job(job.id).await?;
            // A job in any other state is in the broker's or a worker's hands.
            let Some(job) = record.filter(|job| job.state == JobState::Taken) else {
                return Ok(None);
            };
            let history = ledger.attempts(job.id).await?;
            (job, history)
        };
        let envelope = self.envelope(&job, kind, history).await?;
        Ok(envelope.map(|envelope| (job, envelope)))
    }

    /// The message of a job; `None`: its request is gone.
    async fn envelope(
        &self,
        job: &JobRecord,
        kind: Kind,
        history: Vec<AttemptRecord>,
    ) -> Result<Option<JobEnvelope>, Stopped> {
        let request = self.requests.of(job.id).await?;
        Ok(request.map(|request| JobEnvelope {
            id: job.id,
            kind,
            rollup_id: job.rollup_id,
            sizes: Some(self.services.config.sizes),
            attempt: job.attempt,
            taken_at_ms: job.taken_at_ms,
            payload: self.requests.payload(request),
            history,
            trace: self.requests.trace(job.id),
        }))
    }

    async fn publish(&self, job: &JobRecord, envelope: &JobEnvelope) -> Result<(), Stopped> {
        let _span = Trace::publish(EXCHANGE, &job.id, envelope.trace.as_deref());
        if !self.publish_while_wanted(job, envelope).await? {
            return Ok(());
        }
        let (from, note) = ([JobState::Taken], Note::default());
        // False when a worker was faster than this bridge.
        let ledger = &self.services.ledger;
        ledger
            .transition(job.id, &from, JobState::Queued, &note)
            .await?;
        let attempt = job.attempt;
        self.services
            .journal
            .emit(job, JobEventKind::Queued { attempt });
        Ok(())
    }

    /// Tries until the broker has the job. False: it never will, or no ticket
    /// waits for the job any more.
    async fn publish_while_wanted(
        &self,
        job: &JobRecord,
        envelope: &JobEnvelope,
    ) -> Result<bool, Stopped> {
        let (ledger, broker) = (self.services.ledger.once(), self.services.broker.once());
        let mut backoff = self.services.retry.backoff();
        loop {
            let error = match broker.publish(envelope, None).await {
                Ok(()) => return Ok(true),
                Err(error) => error,
            };
            if let BrokerError::Refused(why) = &error {
                self.endings.bury(job, why, Death::Request).await?;
                return Ok(false);
            }
            tracing::warn!(job = %job.id, "cannot publish yet: {error}");
            self.services.retry.pause(backoff.pause()).await?;
            if let Ok(tickets) = ledger.tickets_of(job.id).await
                && tickets.is_empty()
            {
                self.endings.withdraw(job).await?;
                return Ok(false);
            }
        }
    }

    /// Publishes a job behind the shortest rung, after a failed attempt. False:
    /// the broker never takes it, or its request is gone.
    pub(super) async fn retry(
        &self,
        job: &JobRecord,
        kind: Kind,
        failed: &AttemptRecord,
    ) -> Result<bool, Stopped> {
        let (ledger, broker) = (&self.services.ledger, self.services.broker.once());
        let history = ledger.attempts(job.id).await?;
        let Some(mut envelope) = self.envelope(job, kind, history).await? else {
            return Ok(false);
        };
        envelope.attempt = failed.attempt + 1;
        let refused = self.services.retry.until_done("publish a retry", async || {
            match broker.publish(&envelope, Some(Rung::Short)).await {
                Err(BrokerError::Refused(why)) => Ok(Some(why)),
                Err(error) => Err(error),
                Ok(()) => Ok(None),
            }
        });
        if let Some(why) = refused.await? {
            self.endings.bury(job, &why, Death::Request).await?;
            return Ok(false);
        }
        let note = Note {
            attempt: Some(envelope.attempt),
            ..Note::because(failed.failure.reason.clone())
        };
        let from = JobState::ALL;
        ledger
            .transition(job.id, &from, JobState::Retrying, &note)
            .await?;
        Ok(true)
    }
}
