//! From the results queue to Falafel: a result is verified and stored, its job
//! noted as proved, and only then its message acknowledged.

use std::{collections::HashSet, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, stream::FuturesUnordered};
use zkwhirl_job::{
    AttemptRecord, Failure, Kind,
    envelope::{Outcome, ResultEnvelope},
};
use zkwhirl_telemetry::{catalogue::process::RETRIED, trace::Trace};

use super::{
    counting::{ATTEMPTS, REQUEST, death_by, duplicate, wasted},
    shared::Shared,
    traces::RESULTS,
};
use crate::invariants::{Step, ack_comes_last};
use zkwhirl_broker_adapter::{BrokerError, DeadLetter, ResultDelivery, Rung};
use zkwhirl_ledger::{JobRecord, JobState, Note, StoredResult, events::What};

/// Consumes results until the bridge stops.
pub(super) async fn run(shared: Arc<Shared>) {
    // `None`: the bridge stops.
    while let Some(()) = consume(&shared).await {}
}

/// Results that are dealt with at once: each waits for the ledger, and a proof
/// takes a core to verify.
const UNDER_WAY: usize = 8;

/// Consumes until the connection is lost.
async fn consume(shared: &Arc<Shared>) -> Option<()> {
    let broker = &shared.deps.broker;
    let mut consumer = shared.insist("read results", || broker.results()).await?;
    let mut under_way = FuturesUnordered::new();
    let mut jobs = HashSet::new();
    loop {
        let next = tokio::select! {
            () = shared.stop.cancelled() => return None,
            Some(settled) = under_way.next() => {
                jobs.remove(&settled?);
                continue;
            }
            next = consumer.next(), if under_way.len() < UNDER_WAY => next,
        };
        match next {
            Ok(mut delivery) => {
                let job = delivery.result.id;
                // Two results of one job are dealt with one after the other.
                while jobs.contains(&job) {
                    jobs.remove(&under_way.next().await??);
                }
                jobs.insert(job);
                under_way.push(async move {
                    let steps = shared.on_result(&delivery.result).await?;
                    ack(&mut delivery, steps).await;
                    Some(job)
                });
            }
            Err(error) => {
                tracing::warn!("lost the queue of results: {error}");
                // What is under way is stored or comes again; its ack is late.
                while under_way.next().await.flatten().is_some() {}
                return Some(());
            }
        }
    }
}

/// Acknowledges a result that was dealt with. If that fails it comes again,
/// and is then known.
async fn ack(delivery: &mut ResultDelivery, mut steps: Vec<Step>) {
    steps.push(Step::Acked);
    debug_assert!(ack_comes_last(&steps), "{steps:?}");
    match delivery.ack().await {
        Ok(true) => {}
        Ok(false) => tracing::debug!("a result was redelivered meanwhile"),
        Err(error) => tracing::warn!("cannot acknowledge a result: {error}"),
    }
}

impl Shared {
    /// Does what a result asks for; the steps that were taken.
    async fn on_result(self: &Arc<Self>, result: &ResultEnvelope) -> Option<Vec<Step>> {
        let ledger = &self.deps.ledger;
        let _span = Trace::process(RESULTS, &result.id, result.trace.as_deref());
        let job = self.insist("read a job", || ledger.job(result.id)).await?;
        let Some(job) = job else {
            return Some(vec![self.stray()]);
        };
        match &result.outcome {
            Outcome::Dead(failure) => self.on_dead(&job, failure).await,
            Outcome::Proved(reply) => {
                let answered = matches!(job.state, JobState::Proved | JobState::Delivered);
                let stored = self.insist("read a result", || ledger.result(job.id));
                if answered && stored.await?.is_some() {
                    duplicate(result);
                    return Some(vec![Step::Confirmed]);
                }
                self.on_reply(&job, result, reply.clone()).await
            }
        }
    }

    /// A result from before the ledger was lost. Falafel re-issues the ticket.
    fn stray(&self) -> Step {
        self.counters.strays.one();
        Step::Confirmed
    }

    async fn on_reply(
        self: &Arc<Self>,
        job: &JobRecord,
        result: &ResultEnvelope,
        reply: Bytes,
    ) -> Option<Vec<Step>> {
        let Some(request) = self.request(job).await? else {
            return Some(vec![self.stray()]);
        };
        let verified = match self.verify(job, request, reply).await? {
            Ok(verified) => verified,
            Err(why) => return self.on_unverified(job, result, &why).await,
        };
        let (attempt, worker) = (result.attempt, result.worker.clone());
        let stored = StoredResult {
            reply: verified.reply().clone(),
            digest: *verified.digest(),
            attempt,
            worker,
            prove_ms: result.prove_ms,
        };
        self.keep(job, &stored).await?;
        self.completed(job, Duration::from_millis(result.prove_ms));
        self.learn(result.kind, verified.reply());
        self.proved(job, &JobState::ALL, &verified).await?;
        Some(vec![Step::Stored, Step::Confirmed])
    }

    /// Stores a verified result, and takes the job from the dead if it was
    /// there.
    pub(super) async fn keep(&self, job: &JobRecord, stored: &StoredResult) -> Option<()> {
        let (broker, ledger) = (&self.deps.broker, &self.deps.ledger);
        // The worker stored it, as a rule; another attempt may have stored its
        // own: what is kept must be what was verified.
        loop {
            let held = self.insist("read a result", || ledger.result(job.id));
            match held.await? {
                Some(held) if held.digest == stored.digest => break,
                Some(_) => {
                    self.insist("drop a result", || ledger.drop_result(job.id))
                        .await?;
                }
                None => {}
            }
            let kept = self.insist("store a result", || ledger.store_result(job.id, stored));
            if kept.await? {
                break;
            }
        }
        if job.state == JobState::Dead {
            self.insist("remove a dead letter", || broker.remove_dead(job.id))
                .await?;
        }
        Some(())
    }

    /// A reply that does not verify is a prover's failure: the job goes back
    /// for another attempt.
    async fn on_unverified(
        self: &Arc<Self>,
        job: &JobRecord,
        result: &ResultEnvelope,
        why: &str,
    ) -> Option<Vec<Step>> {
        let ledger = &self.deps.ledger;
        self.counters.unverified.one();
        wasted(result, "unverified");
        let (worker, reason) = (result.worker.clone(), why.to_owned());
        self.emit(job, What::Unverified { worker, reason });
        let held = self
            .insist("read a result", || ledger.result(job.id))
            .await?;
        if held.is_some_and(|held| held.attempt == result.attempt) {
            self.insist("drop a result", || ledger.drop_result(job.id))
                .await?;
        }
        let outdated = job.attempt > result.attempt || job.state.is_finished();
        if outdated || job.state == JobState::Dead {
            // Another attempt is on its way already, or nobody wants one.
            return Some(vec![Step::Confirmed]);
        }
        let record = AttemptRecord {
            attempt: result.attempt,
            worker: result.worker.clone(),
            failure: Failure::prover(format!("its reply does not verify: {why}")),
            duration: Duration::from_millis(result.prove_ms),
            exit: None,
            stderr_tail: String::new(),
            peak_rss_bytes: None,
        };
        self.insist("note an attempt", || ledger.add_attempt(job.id, &record))
            .await?;
        if result.attempt >= self.config.max_attempts {
            let attempts = result.attempt;
            let why = format!("{attempts} attempts used up, the last: {}", record.failure);
            let sentence = DeadLetter::parked(job.id, &why);
            self.bury(job, &sentence, ATTEMPTS).await?;
        } else {
            self.retry(job, result.kind, &record).await?;
        }
        Some(vec![Step::Confirmed])
    }

    async fn retry(&self, job: &JobRecord, kind: Kind, record: &AttemptRecord) -> Option<()> {
        let (broker, ledger) = (&self.deps.broker, &self.deps.ledger);
        let Some(mut envelope) = self.envelope(job, kind).await? else {
            return Some(());
        };
        envelope.attempt = record.attempt + 1;
        let refused = self.insist("publish a retry", async || {
            match broker.publish(&envelope, Some(Rung::Short)).await {
                Err(BrokerError::Refused(why)) => Ok(Some(why)),
                Err(error) => Err(error),
                Ok(()) => Ok(None),
            }
        });
        if let Some(why) = refused.await? {
            let sentence = DeadLetter::parked(job.id, &why);
            return self.bury(job, &sentence, REQUEST).await;
        }
        let note = Note {
            attempt: Some(envelope.attempt),
            ..Note::because(record.failure.reason.clone())
        };
        self.insist("note a retry", || {
            ledger.transition(job.id, &JobState::ALL, JobState::Retrying, &note)
        })
        .await?;
        RETRIED.one([kind.topic().name(), "unverified"]);
        let (worker, failure) = (record.worker.clone(), &record.failure);
        self.emit(
            job,
            What::Retrying {
                worker,
                attempt: record.attempt,
                class: failure.class,
                reason: failure.reason.clone(),
            },
        );
        Some(())
    }

    /// A worker gave a job up; its dead letter is in the broker or about to be.
    async fn on_dead(&self, job: &JobRecord, failure: &Failure) -> Option<Vec<Step>> {
        let ledger = &self.deps.ledger;
        let from = JobState::OUTSTANDING;
        let note = Note::because(failure.reason.clone());
        let moved = self.insist("note a dead job", || {
            ledger.transition(job.id, &from, JobState::Dead, &note)
        });
        if moved.await? {
            self.parked(job.kind, death_by(failure.class));
            let reason = failure.reason.clone();
            self.emit(job, What::Dead { reason });
        }
        Some(vec![Step::Confirmed])
    }
}
