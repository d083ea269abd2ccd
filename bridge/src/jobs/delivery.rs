//! Consumes results: verifies and stores each result, records its job as proved, and
//! only then acknowledges the message.

use std::{collections::HashSet, convert::Infallible, sync::Arc};

use futures_util::{StreamExt, stream::FuturesUnordered};
use zkwhirl_broker_adapter::ResultDelivery;
use zkwhirl_job::{
    Failure, JobId,
    envelope::{Outcome, ResultEnvelope},
    reply::NotVerified,
};
use zkwhirl_ledger::{JobRecord, JobState, Note, StoredResult};
use zkwhirl_telemetry::{catalogue::bridge::STRAYS, trace::Trace};

use super::{
    client_vks, endings,
    results::{self, GateVerdict},
    unverified,
};
use crate::{
    journal::{death_by, duplicate},
    retry::Stopped,
    state::BridgeState,
};

/// The name of the queue of results in traces.
const RESULTS: &str = "zkwhirl.results.v1";

/// How many results are settled at the same time: each waits for the ledger, and
/// verifying a proof takes a core.
const UNDER_WAY: usize = 8;

/// Shows that a result's effects are in the ledger or the broker, or that its job is a
/// dead letter: only then can the result be acknowledged.
#[derive(Debug)]
struct Settled(());

/// Consumes results until the bridge stops.
pub(crate) async fn run(bridge: Arc<BridgeState>) -> Result<Infallible, Stopped> {
    loop {
        bridge.retry.unless_stopped(consume(&bridge)).await??;
    }
}

/// Consumes results until the connection is lost.
async fn consume(bridge: &Arc<BridgeState>) -> Result<(), Stopped> {
    let mut consumer = bridge.broker.results().await?;
    let mut under_way = FuturesUnordered::new();
    let mut jobs = HashSet::new();
    loop {
        let next = tokio::select! {
            Some(settled) = under_way.next() => {
                jobs.remove(&settled?);
                continue;
            }
            next = consumer.next(), if under_way.len() < UNDER_WAY => next,
        };
        match next {
            Ok(delivery) => {
                let job = delivery.result.id;
                // Two results of one job are settled one after the other.
                while jobs.contains(&job)
                    && let Some(settled) = under_way.next().await
                {
                    jobs.remove(&settled?);
                }
                jobs.insert(job);
                under_way.push(deal_with(bridge, delivery));
            }
            Err(error) => {
                tracing::warn!(
                    "the consumer of the results queue ended, the bridge subscribes again: {error}"
                );
                // Present results are stored or delivered again: their ack is too late.
                while let Some(settled) = under_way.next().await {
                    settled?;
                }
                return Ok(());
            }
        }
    }
}

async fn deal_with(
    bridge: &Arc<BridgeState>,
    mut delivery: ResultDelivery,
) -> Result<JobId, Stopped> {
    let (this, result) = (bridge.clone(), delivery.result.clone());
    let job = result.id;
    let settle = async move { settle(&this, &result).await };
    let settled = bridge.tasks.item("result", settle).await;
    let settled = endings::park_if_panicked(bridge, job, settled).await?;
    let settled = settled.unwrap_or(Settled(()));
    ack(&mut delivery, settled).await;
    Ok(job)
}

/// Carries out the effects of a result.
async fn settle(bridge: &Arc<BridgeState>, result: &ResultEnvelope) -> Result<Settled, Stopped> {
    let ledger = &bridge.ledger;
    let _span = Trace::process(RESULTS, &result.id, result.trace.as_deref());
    match (ledger.job(result.id).await?, &result.outcome) {
        // The job is from before a loss of the ledger: Falafel issues the ticket again.
        (None, _) => count_stray(bridge),
        (Some(job), Outcome::Dead(failure)) => on_dead(bridge, &job, failure).await?,
        (Some(job), Outcome::Proved(reply)) => {
            let answered = matches!(job.state, JobState::Proved | JobState::Delivered);
            if answered && ledger.result(job.id).await?.is_some() {
                duplicate(result);
            } else {
                let (reply, worker) = (reply.clone(), &result.worker);
                let proof = StoredResult::new(reply, result.attempt, worker, result.prove_ms);
                on_proof(bridge, &job, proof).await?;
            }
        }
    }
    Ok(Settled(()))
}

async fn on_proof(
    bridge: &Arc<BridgeState>,
    job: &JobRecord,
    proof: StoredResult,
) -> Result<(), Stopped> {
    match results::verify(bridge, job, &proof).await? {
        GateVerdict::Verified(verified) => {
            results::accept(bridge, job, verified).await?;
            if let Some(kind) = job.kind {
                client_vks::learn(bridge, kind, proof.reply);
            }
        }
        GateVerdict::NotVerified(NotVerified::Refused { reason }) => {
            results::refuse(bridge, job, &proof, reason).await?;
        }
        GateVerdict::NotVerified(NotVerified::CannotCheck { reason }) => {
            unverified::keep(bridge, job, &proof, &reason).await?;
        }
        GateVerdict::RequestGone => count_stray(bridge),
    }
    Ok(())
}

fn count_stray(bridge: &BridgeState) {
    bridge.journal.one(&STRAYS, |stats| &mut stats.strays);
}

/// Records that a worker gave a job up; the dead letter is or soon will be in the broker.
async fn on_dead(bridge: &BridgeState, job: &JobRecord, failure: &Failure) -> Result<(), Stopped> {
    let (from, note) = (JobState::OUTSTANDING, Note::because(&*failure.reason));
    let moved = bridge
        .ledger
        .transition(job.id, &from, JobState::Dead, &note);
    if moved.await? {
        let death = death_by(failure.class);
        bridge.journal.dead(job, &failure.reason, death);
    }
    Ok(())
}

/// Acknowledges a settled result. If that fails the result is delivered again, and
/// counts as a duplicate.
async fn ack(delivery: &mut ResultDelivery, _: Settled) {
    match delivery.ack().await {
        Ok(true) => {}
        Ok(false) => tracing::debug!("a result was delivered again before its ack"),
        Err(error) => tracing::warn!("cannot acknowledge a result, it is delivered again: {error}"),
    }
}
