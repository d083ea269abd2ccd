//! Publishes jobs: one loop per topic publishes jobs in the order of their arrival, and
//! waits while the broker is unreachable.

use std::{convert::Infallible, future::Future, pin::pin, sync::Arc};

use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;
use zkwhirl_broker_adapter::{BrokerError, Rung};
use zkwhirl_job::{AttemptRecord, JobId, Kind, envelope::JobEnvelope};
use zkwhirl_ledger::{JobEventKind, JobRecord, JobState, Note};
use zkwhirl_telemetry::trace::Trace;

use super::endings;
use crate::{retry::Stopped, state::BridgeState};

/// The name of the exchange of jobs in traces.
const EXCHANGE: &str = "zkwhirl.jobs";

/// How many jobs may wait for their publishing; beyond that the poll waits too.
pub(crate) const BACKLOG: usize = 1_024;

/// How many jobs of a topic are published at the same time: a confirm takes as long as
/// the broker's disk. Jobs are sent in the order of their arrival; only a job that has
/// to be sent again may fall behind.
const UNDER_WAY: usize = 8;

/// Queues a job for publishing, unless it is queued already. Waits while the backlog is
/// full. A job of an unknown kind is not published.
pub(super) async fn queue(bridge: &BridgeState, job: &JobRecord) {
    let Some(kind) = job.kind else {
        return;
    };
    if !bridge.publishing.lock().insert(job.id) {
        return;
    }
    let queue = &bridge.queues[&kind.topic()];
    if queue.send(job.clone()).await.is_err() {
        // The bridge stops; the next start takes the job up again.
        bridge.publishing.lock().remove(&job.id);
    }
}

/// Publishes the jobs of a backlog until the bridge stops.
pub(crate) async fn run(
    bridge: Arc<BridgeState>,
    mut backlog: mpsc::Receiver<JobRecord>,
) -> Result<Infallible, Stopped> {
    let bridge = &*bridge;
    let published = stream::poll_fn(|context| backlog.poll_recv(context))
        .map(|job| async move { (job.id, item(bridge, job.id, prepare(bridge, job)).await) })
        .buffered(UNDER_WAY)
        .map(|(id, prepared)| async move {
            let done = match prepared {
                Ok(Some(Some((job, envelope)))) => {
                    let publish = publish(bridge, &job, &envelope);
                    item(bridge, id, publish).await.map(drop)
                }
                prepared => prepared.map(drop),
            };
            bridge.publishing.lock().remove(&id);
            done
        })
        .buffered(UNDER_WAY);
    let mut published = pin!(published);
    loop {
        let done = bridge.retry.unless_stopped(published.next());
        // The bridge's state has the senders: there is always a next job.
        done.await?.unwrap_or(Err(Stopped))?;
    }
}

/// Runs work on one job; a panic makes the job a dead letter. Runs in place: in tasks of
/// their own the jobs would lose their order.
async fn item<T>(
    bridge: &BridgeState,
    job: JobId,
    work: impl Future<Output = Result<T, Stopped>>,
) -> Result<Option<T>, Stopped> {
    let worked = bridge.tasks.item_in_place("publishing", work).await;
    endings::park_if_panicked(bridge, job, worked).await
}

/// Makes the message of a job. `None`: the job needs no publishing any more.
async fn prepare(
    bridge: &BridgeState,
    job: JobRecord,
) -> Result<Option<(JobRecord, JobEnvelope)>, Stopped> {
    let Some(kind) = job.kind else {
        return Ok(None);
    };
    let (job, history) = if job.is_new() {
        (job, Vec::new())
    } else {
        let record = bridge.ledger.job(job.id).await?;
        // A job in any other state is in the broker or at a worker.
        let Some(job) = record.filter(|job| job.state == JobState::Taken) else {
            return Ok(None);
        };
        let history = bridge.ledger.attempts(job.id).await?;
        (job, history)
    };
    let envelope = envelope(bridge, &job, kind, history).await?;
    Ok(envelope.map(|envelope| (job, envelope)))
}

/// Makes the message of a job. `None`: the ledger has lost the job's request.
async fn envelope(
    bridge: &BridgeState,
    job: &JobRecord,
    kind: Kind,
    history: Vec<AttemptRecord>,
) -> Result<Option<JobEnvelope>, Stopped> {
    let request = bridge.requests.of(job.id).await?;
    Ok(request.map(|request| JobEnvelope {
        id: job.id,
        kind,
        rollup_id: job.rollup_id,
        sizes: Some(bridge.config.sizes),
        attempt: job.attempt,
        taken_at_ms: job.taken_at_ms,
        payload: bridge.requests.payload(request),
        history,
        trace: bridge.requests.trace(job.id),
    }))
}

async fn publish(
    bridge: &BridgeState,
    job: &JobRecord,
    envelope: &JobEnvelope,
) -> Result<(), Stopped> {
    let _span = Trace::publish(EXCHANGE, &job.id, envelope.trace.as_deref());
    if !publish_while_wanted(bridge, job, envelope).await? {
        return Ok(());
    }
    let (from, note) = ([JobState::Taken], Note::default());
    let ledger = &bridge.ledger;
    let moved = ledger.transition(job.id, &from, JobState::Queued, &note);
    // False if a worker has claimed the job already.
    moved.await?;
    let attempt = job.attempt;
    bridge.journal.emit(job, JobEventKind::Queued { attempt });
    Ok(())
}

/// Publishes until the broker has the job. False: the broker refused the job for good, or
/// no ticket waits for the job any more.
async fn publish_while_wanted(
    bridge: &BridgeState,
    job: &JobRecord,
    envelope: &JobEnvelope,
) -> Result<bool, Stopped> {
    let (ledger, broker) = (bridge.ledger.once(), bridge.broker.once());
    let mut backoff = bridge.retry.backoff();
    loop {
        let error = match broker.publish(envelope, None).await {
            Ok(()) => return Ok(true),
            Err(error) => error,
        };
        if let BrokerError::Refused(why) = &error {
            endings::bury(bridge, job, why, "request").await?;
            return Ok(false);
        }
        tracing::warn!(job = %job.id, "cannot publish the job, the bridge tries again: {error}");
        bridge.retry.pause(backoff.pause()).await?;
        if let Ok(tickets) = ledger.tickets_of(job.id).await
            && tickets.is_empty()
        {
            endings::withdraw(bridge, job).await?;
            return Ok(false);
        }
    }
}

/// Publishes a job to the shortest rung, after a failed attempt. False: the broker
/// refused the job for good, or the ledger has lost the job's request.
pub(super) async fn retry(
    bridge: &BridgeState,
    job: &JobRecord,
    kind: Kind,
    failed: &AttemptRecord,
) -> Result<bool, Stopped> {
    let (ledger, broker) = (&bridge.ledger, bridge.broker.once());
    let history = ledger.attempts(job.id).await?;
    let Some(mut envelope) = envelope(bridge, job, kind, history).await? else {
        return Ok(false);
    };
    envelope.attempt = failed.attempt + 1;
    let refused = bridge.retry.until_done("publish a job's retry", async || {
        match broker.publish(&envelope, Some(Rung::Short)).await {
            Err(BrokerError::Refused(why)) => Ok(Some(why)),
            Err(error) => Err(error),
            Ok(()) => Ok(None),
        }
    });
    if let Some(why) = refused.await? {
        endings::bury(bridge, job, &why, "request").await?;
        return Ok(false);
    }
    let note = Note {
        attempt: Some(envelope.attempt),
        ..Note::because(&*failed.failure.reason)
    };
    let moved = ledger.transition(job.id, &JobState::ALL, JobState::Retrying, &note);
    moved.await.map(|_| true)
}
