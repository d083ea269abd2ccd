//! One delivery, from the claim to its settlement.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;
use zkwhirl_broker_adapter::Delivery;
use zkwhirl_job::{
    Failure, FailureClass, Kind,
    clock::now_ms,
    envelope::{JobEnvelope, Payload},
};
use zkwhirl_ledger::{
    JobEventKind,
    JobState::{self, Claimed, Proving, Queued, Retrying, Taken},
    Note, StoredResult,
};
use zkwhirl_prover::{ProveError, Proved, Prover};
use zkwhirl_telemetry::catalogue::worker::{PHASE, QUEUE_WAIT, REDELIVERED};

use crate::{
    measure,
    slot::{SlotHealth, SlotLoop},
};

impl SlotLoop {
    /// Proves a delivery, then settles the delivery or drops it: the broker
    /// redelivers a dropped one.
    pub(crate) async fn process(
        &mut self,
        delivery: Delivery,
        prover: &mut dyn Prover,
    ) -> SlotHealth {
        // The first step: from now on no cancel message may be missed.
        let (current, began) = (self.control.begin(delivery.job.id), Instant::now());
        let topic = delivery.job.topic();
        if delivery.redelivered {
            REDELIVERED.one([topic.name()]);
        } else if delivery.job.attempt == 1 && delivery.job.history.is_empty() {
            let waited = now_ms().saturating_sub(delivery.job.taken_at_ms);
            QUEUE_WAIT.record([topic.name()], Duration::from_millis(waited));
        }
        if let Some(known) = self.known(&delivery.job).await {
            self.settle_known(delivery, known).await;
            return SlotHealth::Unknown;
        }
        let job = delivery.job.clone();
        let (worker, attempt) = (self.name.clone(), job.attempt);
        self.emit(&job, JobEventKind::Claimed { worker, attempt });
        let noted = self.note(&job, JobState::Claimed, None);
        let ((), request) = tokio::join!(noted, self.request(&job));
        let request = match request {
            Ok(request) => request,
            Err(failure) => {
                let error = ProveError::plain(failure, Duration::ZERO);
                measure::ended(topic, &Err(error.clone()), began.elapsed());
                return self.failed(delivery, error, false).await;
            }
        };
        let fetched = began.elapsed();
        // The ledger's state is only for views: the prover does not wait for it.
        let noted = self.note(&job, JobState::Proving, None);
        let proving = self.prove(prover, &job, request, &current.cancelled);
        let ((), ended) = tokio::join!(noted, proving);
        let outcome = ended.outcome;
        let outcome = outcome.and_then(|proved| check_length(job.kind, proved));
        let peak = match &outcome {
            Ok(proved) => proved.peak_rss_bytes,
            Err(error) => error.peak_rss_bytes,
        };
        if let (Some(admission), Some(peak)) = (&self.config.admission, peak) {
            // The next admission counts with the memory that this prover needed.
            admission.saw_peak(peak);
        }
        measure::ended(topic, &outcome, began.elapsed());
        self.reporter.ended(outcome.is_ok());
        match outcome {
            Ok(proved) => {
                self.expected.insert(job.kind, proved.duration);
                let proving = Instant::now();
                let health = self.proved(delivery, proved).await;
                PHASE.record([topic.name(), "fetch"], fetched);
                PHASE.record([topic.name(), "publish"], proving.elapsed());
                health
            }
            Err(error) if current.cancelled.is_cancelled() => {
                self.cancelled(delivery, error, ended.broken).await
            }
            Err(error) => self.failed(delivery, error, ended.broken).await,
        }
    }

    /// Settles a delivery whose proof a control message cancelled. The ledger shows
    /// whether a ticket still waits for the job.
    async fn cancelled(
        &mut self,
        delivery: Delivery,
        error: ProveError,
        broken: bool,
    ) -> SlotHealth {
        match self.known(&delivery.job).await {
            Some(known) => {
                tracing::info!(job = %delivery.job.id, "a control message cancelled the job's attempt");
                self.settle_known(delivery, known).await;
            }
            None => {
                let failure = Failure::interrupted(error.failure.reason);
                let error = ProveError { failure, ..error };
                self.settle_failed(delivery, error).await;
            }
        }
        match broken {
            true => SlotHealth::Broken,
            false => SlotHealth::Unknown,
        }
    }

    /// Reads from the ledger whether a job need not be proved. While the ledger is
    /// unreachable the job is proved, which at worst repeats work.
    async fn known(&self, job: &JobEnvelope) -> Option<KnownJob> {
        let ledger = &self.deps.ledger;
        let (result, record) = tokio::join!(ledger.result(job.id), ledger.job(job.id));
        if let Some(result) = result.ok().flatten() {
            return Some(KnownJob::Proved(result));
        }
        match record.ok().flatten()?.state {
            JobState::Rejected | JobState::Withdrawn | JobState::Dead => Some(KnownJob::Unwanted),
            _ => None,
        }
    }

    async fn settle_known(&self, delivery: Delivery, known: KnownJob) {
        match known {
            KnownJob::Unwanted => self.ack(delivery).await,
            KnownJob::Proved(result) => {
                // The worker that stored the result may have died before it published.
                if self.announce(&delivery.job, &result).await {
                    self.ack(delivery).await;
                }
            }
        }
    }

    /// Reads the job's request. The bridge checks each proof against the request
    /// that it took: the worker does not compare the job's id with a digest.
    async fn request(&self, job: &JobEnvelope) -> Result<Bytes, Failure> {
        match &job.payload {
            Payload::Inline(request) => Ok(request.clone()),
            // The ledger returns the whole request or `None`.
            Payload::Stored { .. } => match self.deps.ledger.request(job.id).await {
                Ok(Some(request)) => Ok(request),
                Ok(None) => Err(Failure::infrastructure("the request is not in the ledger")),
                Err(error) => Err(Failure::infrastructure(format!(
                    "cannot read the request: {error}"
                ))),
            },
        }
    }

    /// Stores the proof, publishes it and acks the delivery, in this order.
    async fn proved(&mut self, delivery: Delivery, proved: Proved) -> SlotHealth {
        let job = &delivery.job;
        let prove_ms = proved.duration.as_millis() as u64;
        let result = StoredResult::new(proved.reply, job.attempt, &self.name, prove_ms);
        self.store(job.id, &result).await;
        if !self.announce(job, &result).await {
            return SlotHealth::Failed;
        }
        let what = JobEventKind::Proved {
            worker: self.name.clone(),
            attempt: job.attempt,
            duration: proved.duration,
            reply_bytes: result.reply.len(),
            peak_rss_bytes: proved.peak_rss_bytes,
        };
        self.emit(job, what);
        self.ack(delivery).await;
        SlotHealth::Fine
    }

    /// Settles a failed attempt by its verdict, and returns the slot's health.
    async fn failed(&mut self, delivery: Delivery, error: ProveError, broken: bool) -> SlotHealth {
        let class = error.failure.class;
        self.settle_failed(delivery, error).await;
        match class {
            _ if broken => SlotHealth::Broken,
            FailureClass::Invalid => SlotHealth::Unknown,
            // A prover that stops its proof while no drain runs is broken.
            FailureClass::Interrupted if self.stop.is_draining() => SlotHealth::Unknown,
            _ => SlotHealth::Failed,
        }
    }

    /// Records a job's new state in the ledger, for views only: the next record
    /// corrects a wrong one.
    pub(crate) async fn note(&self, job: &JobEnvelope, to: JobState, failure: Option<&Failure>) {
        let retrying = to == JobState::Retrying;
        let note = Note {
            attempt: Some(job.attempt + u32::from(retrying)),
            worker: Some(self.name.clone()),
            reason: failure.map(|failure| failure.reason.clone()),
        };
        let from = [Taken, Queued, Claimed, Proving, Retrying];
        let noted = self.deps.ledger.transition(job.id, &from, to, &note).await;
        if let Err(error) = noted {
            tracing::debug!(job = %job.id, "cannot record the job's state {to} in the ledger: {error}");
        }
    }
}

/// A job that need not be proved.
enum KnownJob {
    /// The ledger has the job's result.
    Proved(StoredResult),
    /// No ticket waits for the job, or an operator has to decide about it.
    Unwanted,
}

/// Checks a reply's length. A reply that Falafel cannot read is the prover's failure.
fn check_length(kind: Kind, proved: Proved) -> Result<Proved, ProveError> {
    let limit = kind.reply_limit();
    let bytes = proved.reply.len();
    if (1..=limit).contains(&bytes) {
        return Ok(proved);
    }
    let reason = format!("the prover's reply has {bytes} bytes, must have from 1 to {limit}");
    Err(ProveError {
        peak_rss_bytes: proved.peak_rss_bytes,
        ..ProveError::plain(Failure::prover(reason), proved.duration)
    })
}
