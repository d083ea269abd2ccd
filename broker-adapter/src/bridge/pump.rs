//! From the ledger to the broker: one task per topic publishes jobs in the
//! order of their arrival, and waits where the broker is away.

use std::{sync::Arc, time::Duration};

use tokio::sync::mpsc;
use zkwhirl_job::{JobId, Kind, envelope::JobEnvelope};

use super::shared::Shared;
use crate::{
    broker::{BrokerError, DeadLetter},
    clock::Backoff,
    events::What,
    ledger::{JobRecord, JobState, Note},
};

/// Jobs that wait for their publishing before the poll waits too.
pub(super) const BACKLOG: usize = 1_024;

/// Publishes what comes until the bridge stops.
pub(super) async fn run(shared: Arc<Shared>, mut jobs: mpsc::Receiver<JobId>) {
    loop {
        let job = tokio::select! {
            () = shared.stop.cancelled() => return,
            job = jobs.recv() => job,
        };
        let Some(job) = job else {
            return;
        };
        // `None`: the bridge stops.
        let done = shared.publish(job).await;
        shared.pumped.lock().remove(&job);
        if done.is_none() {
            return;
        }
    }
}

impl Shared {
    async fn publish(&self, id: JobId) -> Option<()> {
        let ledger = &self.deps.ledger;
        let record = self.insist("read a job", || ledger.job(id)).await?;
        let Some(job) = record else {
            return Some(());
        };
        // Anything else is in the broker's or a worker's hands by now.
        if job.state != JobState::Taken {
            return Some(());
        }
        let Some(kind) = job.kind else {
            return Some(());
        };
        let Some(envelope) = self.envelope(&job, kind).await? else {
            return Some(());
        };
        if !self.publish_while_wanted(&job, &envelope).await? {
            return Some(());
        }
        let from = [JobState::Taken];
        let note = Note::default();
        // False when a worker was faster than we are.
        self.insist("note a queued job", || {
            ledger.transition(id, &from, JobState::Queued, &note)
        })
        .await?;
        let attempt = job.attempt;
        self.emit(&job, What::Queued { attempt });
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
                let reason = DeadLetter::sentence(job.id, why);
                self.bury(job, &reason).await?;
                return Some(false);
            }
            tracing::warn!(job = %job.id.short(), "cannot publish yet: {error}");
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
        let Some(request) = self.request(job).await? else {
            return Some(None);
        };
        let history = self.insist("read attempts", || ledger.attempts(job.id));
        Some(Some(JobEnvelope {
            id: job.id,
            kind,
            rollup_id: job.rollup_id,
            attempt: job.attempt,
            taken_at_ms: job.taken_at_ms,
            payload: self.payload(request),
            history: history.await?,
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
            self.emit(job, What::Withdrawn);
            self.cancel(job.id);
        }
        Some(())
    }
}
