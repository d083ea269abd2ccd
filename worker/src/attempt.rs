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
    /// Proves a delivery. In the end it is settled, or dropped so that the broker
    /// redelivers it.
    pub(crate) async fn process(
        &mut self,
        delivery: Delivery,
        prover: &mut dyn Prover,
    ) -> SlotHealth {
        // First of all: from now on a cancel message must not be missed.
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
        // The prover does not wait for a note that is only for views.
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
            // The next admission knows what this prover needed.
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

    /// A control message ended the proof: the ledger says whether a ticket still
    /// waits for the job.
    async fn cancelled(
        &mut self,
        delivery: Delivery,
        error: ProveError,
        broken: bool,
    ) -> SlotHealth {
        match self.known(&delivery.job).await {
            Some(known) => {
                tracing::info!(job = %delivery.job.id, "attempt cancelled by a control message");
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

    /// What is known about a job that need not be proved. With the ledger away
    /// nothing is known, and proving again costs only work.
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
                // The worker that stored it may have died before it published it.
                if self.announce(&delivery.job, &result).await {
                    self.ack(delivery).await;
                }
            }
        }
    }

    /// The job's request. That a proof is of the right request is checked by the
    /// bridge, against the request that it took: a job's id is no digest here.
    async fn request(&self, job: &JobEnvelope) -> Result<Bytes, Failure> {
        match &job.payload {
            Payload::Inline(request) => Ok(request.clone()),
            // The ledger gives the whole request or none.
            Payload::Stored { .. } => match self.deps.ledger.request(job.id).await {
                Ok(Some(request)) => Ok(request),
                Ok(None) => Err(Failure::infrastructure("the request is not in the ledger")),
                Err(error) => Err(Failure::infrastructure(format!("no request: {error}"))),
            },
        }
    }

    /// Stores, announces and acknowledges a proof, in this order.
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

    /// Does what the verdict says about a failed attempt.
    async fn failed(&mut self, delivery: Delivery, error: ProveError, broken: bool) -> SlotHealth {
        let class = error.failure.class;
        self.settle_failed(delivery, error).await;
        match class {
            _ if broken => SlotHealth::Broken,
            FailureClass::Invalid => SlotHealth::Unknown,
            // Without a drain, a prover that interrupts itself is broken.
            FailureClass::Interrupted if self.stop.is_draining() => SlotHealth::Unknown,
            _ => SlotHealth::Failed,
        }
    }

    /// Notes a job's new state, for views only: the next note corrects a wrong
    /// one.
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
            tracing::debug!(job = %job.id, "cannot note {to}: {error}");
        }
    }
}

/// A job that need not be proved.
enum KnownJob {
    /// Its result is there.
    Proved(StoredResult),
    /// No ticket waits for it, or an operator has to decide first.
    Unwanted,
}

/// A reply that Falafel could not read is the prover's failure.
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
