//! From the ledger to the broker: one task per topic publishes jobs in the
//! order of their arrival, and waits where the broker is away.

use std::{pin::pin, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;
use zkwhirl_job::{AttemptRecord, Kind, envelope::JobEnvelope};
use zkwhirl_telemetry::{catalogue::bridge::COMPLETED, trace::Trace};

use super::{
    counting::{REQUEST, topic_name},
    shared::Shared,
    traces::EXCHANGE,
};
use zkwhirl_broker_adapter::{BrokerError, DeadLetter};
use zkwhirl_job::clock::Backoff;
use zkwhirl_ledger::{JobRecord, JobState, Note, events::What};

/// Jobs that wait for their publishing before the poll waits too.
pub(super) const BACKLOG: usize = 1_024;

/// Jobs of a topic that are on their way to the broker at once: a confirm takes
/// as long as the broker's disk. They are sent in the order of their arrival;
/// only what has to be sent again may fall behind.
const UNDER_WAY: usize = 8;

/// Publishes what comes until the bridge stops.
pub(super) async fn run(shared: Arc<Shared>, mut jobs: mpsc::Receiver<JobRecord>) {
    let shared = &shared;
    let published = stream::poll_fn(|context| jobs.poll_recv(context))
        .map(|job| async move { (job.id, shared.prepare(job).await) })
        .buffered(UNDER_WAY)
        .map(|(id, prepared)| async move {
            let done = match prepared {
                Some(Some((job, envelope))) => shared.publish(&job, &envelope).await,
                Some(None) => Some(()),
                None => None,
            };
            shared.pumped.lock().remove(&id);
            done
        })
        .buffered(UNDER_WAY);
    let mut published = pin!(published);
    loop {
        let done = tokio::select! {
            () = shared.stop.cancelled() => return,
            done = published.next() => done,
        };
        // `None`: the bridge stops.
        if done.flatten().is_none() {
            return;
        }
    }
}

impl Shared {
    /// The message of a job that is to be published. The inner `None`: there is
    /// nothing to publish any more.
    async fn prepare(&self, job: JobRecord) -> Option<Option<(JobRecord, JobEnvelope)>> {
        let Some(kind) = job.kind else {
            return Some(None);
        };
        if job.is_new() {
            let envelope = self.envelope_after(&job, kind, Vec::new()).await?;
            return Some(envelope.map(|envelope| (job, envelope)));
        }
        let ledger = &self.deps.ledger;
        let record = self.insist("read a job", || ledger.job(job.id)).await?;
        // Anything else is in the broker's or a worker's hands by now.
        let Some(job) = record.filter(|job| job.state == JobState::Taken) else {
            return Some(None);
        };
        let envelope = self.envelope(&job, kind).await?;
        Some(envelope.map(|envelope| (job, envelope)))
    }

    async fn publish(&self, job: &JobRecord, envelope: &JobEnvelope) -> Option<()> {
        let trace = envelope.trace.as_deref();
        let _span = Trace::publish(EXCHANGE, &job.id, trace);
        if !self.publish_while_wanted(job, envelope).await? {
            return Some(());
        }
        let ledger = &self.deps.ledger;
        let from = [JobState::Taken];
        let note = Note::default();
        // False when a worker was faster than we are.
        self.insist("note a queued job", || {
            ledger.transition(job.id, &from, JobState::Queued, &note)
        })
        .await?;
        let attempt = job.attempt;
        self.emit(job, What::Queued { attempt });
        Some(())
    }

    /// Tries until the broker has the job. False: it never will, or nobody
    /// waits for the job any more.
    async fn publish_while_wanted(&self, job: &JobRecord, envelope: &JobEnvelope) -> Option<bool> {
        let longest = self.config.timing.longest_pause;
        let mut backoff = Backoff::new(Duration::from_millis(20), longest);
        loop {
            let error = match self.deps.broker.publish(envelope, None).await {
                Ok(()) => return Some(true),
                Err(error) => error,
            };
            if let BrokerError::Refused(why) = &error {
                let reason = DeadLetter::parked(job.id, why);
                self.bury(job, &reason, REQUEST).await?;
                return Some(false);
            }
            tracing::warn!(job = %job.id, "cannot publish yet: {error}");
            tokio::select! {
                () = self.stop.cancelled() => return None,
                () = tokio::time::sleep(backoff.pause()) => {}
            }
            if let Ok(tickets) = self.deps.ledger.tickets_of(job.id).await
                && tickets.is_empty()
            {
                self.withdraw(job).await?;
                return Some(false);
            }
        }
    }

    /// The message of a job as the ledger knows it; the inner `None`: it does
    /// not know it any more.
    pub(super) async fn envelope(
        &self,
        job: &JobRecord,
        kind: Kind,
    ) -> Option<Option<JobEnvelope>> {
        let ledger = &self.deps.ledger;
        let history = self.insist("read attempts", || ledger.attempts(job.id));
        let history = history.await?;
        self.envelope_after(job, kind, history).await
    }

    /// The same for a job whose failed attempts are known.
    async fn envelope_after(
        &self,
        job: &JobRecord,
        kind: Kind,
        history: Vec<AttemptRecord>,
    ) -> Option<Option<JobEnvelope>> {
        let Some(request) = self.request(job).await? else {
            return Some(None);
        };
        Some(Some(JobEnvelope {
            id: job.id,
            kind,
            rollup_id: job.rollup_id,
            sizes: Some(self.config.sizes),
            attempt: job.attempt,
            taken_at_ms: job.taken_at_ms,
            payload: self.payload(request),
            history,
            trace: self.traces.lock().context(job.id),
        }))
    }

    /// Notes that nobody waits for a job any more. Workers drop it when they
    /// see it.
    pub(super) async fn withdraw(&self, job: &JobRecord) -> Option<()> {
        let ledger = &self.deps.ledger;
        // What is in a prover goes on: it is nearly done, and the same request
        // usually comes back under a new id.
        let from = [
            JobState::Taken,
            JobState::Queued,
            JobState::Claimed,
            JobState::Retrying,
            JobState::Dead,
        ];
        let note = Note::because("nobody waits for it any more");
        let moved = self.insist("withdraw a job", || {
            ledger.transition(job.id, &from, JobState::Withdrawn, &note)
        });
        if moved.await? {
            let broker = &self.deps.broker;
            self.insist("remove a dead letter", || broker.remove_dead(job.id))
                .await?;
            COMPLETED.one([topic_name(job.kind), "withdrawn"]);
            self.traces.lock().end(job.id);
            self.emit(job, What::Withdrawn);
            self.cancel(job.id);
        }
        Some(())
    }
}
