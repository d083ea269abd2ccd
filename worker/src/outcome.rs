//! Carries out the outcome of a delivery: in the ledger, the broker and the views.

use std::{pin::pin, time::Duration};

use tokio::time::sleep;
use zkwhirl_broker_adapter::{BrokerError, DeadLetter, Delivery, Settlement};
use zkwhirl_job::{
    AttemptRecord, Failure, JobId,
    clock::now_ms,
    envelope::{JobEnvelope, Outcome, ResultEnvelope},
    limits,
};
use zkwhirl_ledger::{JobEventKind, JobState, StoredResult};
use zkwhirl_prover::ProveError;
use zkwhirl_telemetry::{catalogue::process::RETRIED, trace::Trace};

use crate::{
    measure::class_name,
    slot::SlotLoop,
    verdict::{Verdict, verdict},
};

/// How often an optional step is tried: a step whose failure does not fail the job.
const TRIES: u32 = 3;
/// The first pause before an operation is tried again.
const PAUSE: Duration = Duration::from_millis(100);

impl SlotLoop {
    /// Stores a result in the ledger, in at most `TRIES` tries: the result message
    /// that follows carries the result as well.
    pub(crate) async fn store(&self, job: JobId, result: &StoredResult) {
        for attempt in 1..=TRIES {
            match self.deps.ledger.store_result(job, result).await {
                Ok(_) => return,
                Err(error) => {
                    tracing::warn!(job = %job, attempt, "cannot store the job's result in the ledger: {error}")
                }
            }
            sleep(PAUSE * attempt).await;
        }
    }

    /// Publishes a result until the broker confirms the message. False: the broker
    /// refused it for good, or the worker aborts or has drained for its grace; the
    /// delivery must not be acknowledged.
    pub(crate) async fn announce(&self, job: &JobEnvelope, result: &StoredResult) -> bool {
        let envelope = ResultEnvelope {
            id: job.id,
            kind: job.kind,
            attempt: result.attempt,
            worker: result.worker.clone(),
            prove_ms: result.prove_ms,
            outcome: Outcome::Proved(result.reply.clone()),
            trace: self.context(job),
        };
        self.publish(&envelope).await
    }

    /// The trace context of a result: this slot's span, or the job's own context if
    /// no collector of spans is configured.
    fn context(&self, job: &JobEnvelope) -> Option<String> {
        let own = self.trace.as_ref().and_then(Trace::context);
        own.or_else(|| job.trace.clone())
    }

    async fn publish(&self, result: &ResultEnvelope) -> bool {
        let mut pause = PAUSE;
        let mut given_up = pin!(async {
            self.stop.drain.cancelled().await;
            sleep(self.config.grace).await;
        });
        loop {
            let error = match self.deps.broker.publish_result(result).await {
                Ok(()) => return true,
                Err(error) => error,
            };
            tracing::warn!(job = %result.id, "cannot publish the job's result: {error}");
            if matches!(error, BrokerError::Refused(_)) {
                return false;
            }
            tokio::select! {
                () = self.stop.abort.cancelled() => return false,
                () = &mut given_up => return false,
                () = sleep(pause) => {}
            }
            pause = (pause * 2).min(self.config.longest_pause);
        }
    }

    /// Acknowledges a delivery whose result the broker has confirmed.
    pub(crate) async fn ack(&self, delivery: Delivery) {
        self.settle(delivery, &Settlement::Ack).await;
    }

    /// Settles a delivery in at most `TRIES` tries, then drops it: the broker
    /// redelivers an unsettled job, which repeats work.
    async fn settle(&self, mut delivery: Delivery, how: &Settlement) {
        for attempt in 1..=TRIES {
            match delivery.settle(how).await {
                Ok(true) => return,
                Ok(false) => {
                    // Another worker has or had the job: its result is the same.
                    tracing::info!(job = %delivery.job.id, "the delivery was lost before its settlement: RabbitMQ delivers the job again");
                    return;
                }
                Err(error) => {
                    tracing::warn!(job = %delivery.job.id, attempt, "cannot settle the job's delivery: {error}");
                }
            }
            sleep(PAUSE * attempt).await;
        }
    }

    /// Settles a failed attempt by its verdict, and emits the job's event.
    pub(crate) async fn settle_failed(&self, delivery: Delivery, error: ProveError) {
        let job = delivery.job.clone();
        let failure = error.failure.clone();
        match verdict(
            &failure,
            job.attempt,
            &job.history,
            self.config.max_attempts,
        ) {
            Verdict::HandBack => {
                self.note(&job, JobState::Queued, Some(&failure)).await;
                self.settle(delivery, &Settlement::HandBack).await;
                RETRIED.one([job.topic().name(), "handed_back"]);
                let worker = self.name.clone();
                self.emit(&job, JobEventKind::HandedBack { worker });
            }
            Verdict::Retry { rung } => {
                RETRIED.one([job.topic().name(), class_name(failure.class)]);
                let mut again = self.remember(&job, &error).await;
                again.attempt += 1;
                // Before the settlement: then another worker may have the job.
                self.note(&job, JobState::Retrying, Some(&failure)).await;
                let retry = Settlement::Retry { rung, job: again };
                self.settle(delivery, &retry).await;
                let what = JobEventKind::Retrying {
                    worker: self.name.clone(),
                    attempt: job.attempt,
                    class: failure.class,
                    reason: failure.reason,
                };
                self.emit(&job, what);
            }
            Verdict::DeadLetter { reason } => {
                let last = self.remember(&job, &error).await;
                self.bury(delivery, &last, failure, &reason).await;
            }
        }
    }

    /// Adds this failed attempt to the job's history and to the ledger, and returns
    /// the job. The history keeps the newest `limits::ATTEMPT_RECORDS` attempts.
    async fn remember(&self, job: &JobEnvelope, error: &ProveError) -> JobEnvelope {
        let record = AttemptRecord {
            attempt: job.attempt,
            worker: self.name.clone(),
            failure: error.failure.clone(),
            duration: error.duration,
            exit: error.exit.clone(),
            stderr_tail: error.stderr_tail.clone(),
            peak_rss_bytes: error.peak_rss_bytes,
        };
        if let Err(error) = self.deps.ledger.add_attempt(job.id, &record).await {
            tracing::debug!(job = %job.id, "cannot record the failed attempt in the ledger: {error}");
        }
        let mut job = job.clone();
        job.history.push(record);
        let surplus = job.history.len().saturating_sub(limits::ATTEMPT_RECORDS);
        job.history.drain(..surplus);
        job
    }

    /// Publishes a result that says the job is given up on, for the bridge; then
    /// settles the delivery with a dead letter.
    async fn bury(&self, delivery: Delivery, job: &JobEnvelope, failure: Failure, reason: &str) {
        let letter = DeadLetter::of(job, reason, now_ms());
        let dead = ResultEnvelope {
            id: job.id,
            kind: job.kind,
            attempt: job.attempt,
            worker: self.name.clone(),
            prove_ms: 0,
            outcome: Outcome::Dead(Failure::new(failure.class, letter.reason.clone())),
            trace: self.context(job),
        };
        if self.publish(&dead).await {
            self.settle(delivery, &Settlement::Bury(letter)).await;
        }
    }
}
