//! From the results queue to Falafel: a result is verified and stored, its job
//! noted as proved, and only then its message acknowledged.

use std::{collections::HashSet, convert::Infallible};

use futures_util::{StreamExt, stream::FuturesUnordered};
use zkwhirl_broker_adapter::ResultDelivery;
use zkwhirl_job::{
    Failure, JobId,
    envelope::{Outcome, ResultEnvelope},
    reply::NotVerified,
};
use zkwhirl_ledger::{JobRecord, JobState, Note};
use zkwhirl_telemetry::trace::Trace;

use super::{
    connect::Jobs,
    results::{Maker, Verdict},
};
use crate::{
    journal::{Dead, Death, duplicate},
    retry::Stopped,
};

/// The queue of results, as traces name it.
const RESULTS: &str = "zkwhirl.results.v1";

/// Results that are dealt with at once: each waits for the ledger, and a proof
/// takes a core to verify.
const UNDER_WAY: usize = 8;

/// Consumes results.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) jobs: Jobs,
}

/// What a result asked for is in the ledger or the broker, or its job is parked:
/// only then can the result be acknowledged.
#[derive(Debug)]
struct Settled(());

impl Delivery {
    /// Consumes results until the bridge stops.
    pub(crate) async fn run(self) -> Result<Infallible, Stopped> {
        loop {
            self.consume().await?;
        }
    }

    /// Consumes until the connection is lost.
    async fn consume(&self) -> Result<(), Stopped> {
        let mut consumer = self.jobs.services.broker.results().await?;
        let mut under_way = FuturesUnordered::new();
        let mut jobs = HashSet::new();
        loop {
            let next = self.jobs.services.retry.unless_stopped(async {
                tokio::select! {
                    Some(settled) = under_way.next() => Err(settled),
                    next = consumer.next(), if under_way.len() < UNDER_WAY => Ok(next),
                }
            });
            match next.await? {
                Err(settled) => {
                    jobs.remove(&settled?);
                }
                Ok(Ok(delivery)) => {
                    let job = delivery.result.id;
                    // Two results of one job are dealt with one after the other.
                    while jobs.contains(&job)
                        && let Some(settled) = under_way.next().await
                    {
                        jobs.remove(&settled?);
                    }
                    jobs.insert(job);
                    under_way.push(self.deal_with(delivery));
                }
                Ok(Err(error)) => {
                    tracing::warn!("the consumer of results was cut off: {error}");
                    // What is under way is stored or comes again; its ack is late.
                    while let Some(settled) = under_way.next().await {
                        settled?;
                    }
                    return Ok(());
                }
            }
        }
    }

    async fn deal_with(&self, mut delivery: ResultDelivery) -> Result<JobId, Stopped> {
        let (this, result) = (self.clone(), delivery.result.clone());
        let job = result.id;
        let settle = async move { this.settle(&result).await };
        let settled = self.jobs.services.tasks.item("result", settle).await;
        let settled = self.jobs.endings.park_if_panicked(job, settled).await?;
        let settled = settled.unwrap_or(Settled(()));
        ack(&mut delivery, settled).await;
        Ok(job)
    }

    /// Does what a result asks for.
    async fn settle(&self, result: &ResultEnvelope) -> Result<Settled, Stopped> {
        let ledger = &self.jobs.services.ledger;
        let _span = Trace::process(RESULTS, &result.id, result.trace.as_deref());
        match (ledger.job(result.id).await?, &result.outcome) {
            // From before the ledger was lost. Falafel issues the ticket again.
            (None, _) => self.jobs.services.journal.counters.strays.one(),
            (Some(job), Outcome::Dead(failure)) => self.on_dead(&job, failure).await?,
            (Some(job), Outcome::Proved(reply)) => {
                let answered = matches!(job.state, JobState::Proved | JobState::Delivered);
                if answered && ledger.result(job.id).await?.is_some() {
                    duplicate(result);
                } else {
                    self.on_reply(&job, result, reply.clone()).await?;
                }
            }
        }
        Ok(Settled(()))
    }

    async fn on_reply(
        &self,
        job: &JobRecord,
        result: &ResultEnvelope,
        reply: bytes::Bytes,
    ) -> Result<(), Stopped> {
        let maker = Maker::of_result(result);
        match self.jobs.results.verify(job, reply.clone()).await? {
            Verdict::Verified(verified) => {
                self.jobs.results.accept(job, verified, &maker).await?;
                self.jobs.client_vks.learn(result.kind, reply);
            }
            Verdict::NotVerified(NotVerified::Refused { reason }) => {
                self.jobs.results.refuse(job, &maker, reason).await?;
            }
            Verdict::NotVerified(NotVerified::CannotCheck { reason }) => {
                self.jobs
                    .unverified
                    .keep(job, reply, &maker, &reason)
                    .await?;
            }
            Verdict::RequestGone => self.jobs.services.journal.counters.strays.one(),
        }
        Ok(())
    }

    /// A worker gave a job up; its dead letter is in the broker or about to be.
    async fn on_dead(&self, job: &JobRecord, failure: &Failure) -> Result<(), Stopped> {
        let (from, note) = (JobState::OUTSTANDING, Note::because(failure.reason.clone()));
        let ledger = &self.jobs.services.ledger;
        if ledger
            .transition(job.id, &from, JobState::Dead, &note)
            .await?
        {
            let dead = Dead::of(job, &failure.reason);
            let death = Death::by(failure.class);
            self.jobs.services.journal.dead(&dead, death);
        }
        Ok(())
    }
}

/// Acknowledges a result that was dealt with. If that fails the result comes
/// again, and its job is known to be proved.
async fn ack(delivery: &mut ResultDelivery, _: Settled) {
    match delivery.ack().await {
        Ok(true) => {}
        Ok(false) => tracing::debug!("a result was delivered again before its ack"),
        Err(error) => tracing::warn!("cannot acknowledge a result: {error}"),
    }
}
