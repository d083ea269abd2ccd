//! Handles replies: a verified reply is stored and answers the tickets of its job; a
//! refused reply sends its job to another attempt.

use std::{sync::Arc, time::Duration};

use zkwhirl_job::{AttemptRecord, Failure, JobId, reply::NotVerified};
use zkwhirl_ledger::{JobEventKind, JobRecord, JobState, Note, StoredResult};
use zkwhirl_telemetry::catalogue::{bridge::UNVERIFIED, process::RETRIED};

use super::{answers, endings, publisher};
use crate::{
    gate::{self, Verified},
    journal::wasted,
    retry::Stopped,
    state::BridgeState,
};

/// The verdict of the gate about a result of a job.
#[derive(Debug)]
pub(super) enum GateVerdict {
    Verified(Verified),
    NotVerified(NotVerified),
    /// The ledger has lost the job's request, and so the job.
    RequestGone,
}

/// Verifies a result of a job.
pub(super) async fn verify(
    bridge: &BridgeState,
    job: &JobRecord,
    result: &StoredResult,
) -> Result<GateVerdict, Stopped> {
    let Some(kind) = job.kind else {
        // The proof of a job kind of another release is kept, not dropped.
        let unknown = NotVerified::cannot_check("this release does not know the job's kind");
        return Ok(GateVerdict::NotVerified(unknown));
    };
    let Some(request) = bridge.requests.of(job.id).await? else {
        return Ok(GateVerdict::RequestGone);
    };
    let checked = gate::check(&bridge.verifier, kind, request, result).await;
    Ok(checked.map_or_else(GateVerdict::NotVerified, GateVerdict::Verified))
}

/// Stores a verified result, records the job as proved, then answers the job's tickets.
pub(super) async fn accept(
    bridge: &Arc<BridgeState>,
    job: &JobRecord,
    verified: Verified,
) -> Result<(), Stopped> {
    store(bridge, job.id, verified.result()).await?;
    if job.state == JobState::Dead {
        bridge.broker.remove_dead(job.id).await?;
    }
    let proving = Duration::from_millis(verified.result().prove_ms);
    bridge.journal.proved(job, proving);
    proved(bridge, job, &JobState::ALL, verified).await
}

/// Stores a verified result. Usually the worker has stored it already. Replaces the
/// result of another attempt: the stored result must be the verified one.
async fn store(bridge: &BridgeState, job: JobId, result: &StoredResult) -> Result<(), Stopped> {
    let ledger = &bridge.ledger;
    loop {
        match ledger.result(job).await? {
            Some(held) if held.digest == result.digest => return Ok(()),
            Some(_) => ledger.drop_result(job).await?,
            None => {}
        }
        if ledger.store_result(job, result).await? {
            return Ok(());
        }
    }
}

/// Records that a job is proved, and answers its tickets.
pub(super) async fn proved(
    bridge: &Arc<BridgeState>,
    job: &JobRecord,
    from: &[JobState],
    verified: Verified,
) -> Result<(), Stopped> {
    let (ledger, note) = (&bridge.ledger, Note::default());
    let moved = ledger.transition(job.id, from, JobState::Proved, &note);
    // False: the job is proved already.
    moved.await?;
    answers::reply(bridge, job, verified).await
}

/// Refuses a reply, which counts as a prover's failure. The job gets another attempt, or
/// becomes a dead letter.
pub(super) async fn refuse(
    bridge: &BridgeState,
    job: &JobRecord,
    result: &StoredResult,
    why: String,
) -> Result<(), Stopped> {
    let ledger = &bridge.ledger;
    bridge
        .journal
        .one(&UNVERIFIED, |stats| &mut stats.unverified);
    wasted(job.kind, result.prove_ms, "unverified");
    let failure = Failure::prover(format!("its reply does not verify: {why}"));
    let (worker, reason) = (result.worker.clone(), why);
    let unverified = JobEventKind::Unverified { worker, reason };
    bridge.journal.emit(job, unverified);
    let held = ledger.result(job.id).await?;
    if held.is_some_and(|held| held.attempt == result.attempt) {
        ledger.drop_result(job.id).await?;
    }
    let outdated = job.attempt > result.attempt || job.state.is_finished();
    if outdated || job.state == JobState::Dead {
        // Another attempt has begun already, or the job is not wanted.
        return Ok(());
    }
    let failed = AttemptRecord {
        attempt: result.attempt,
        worker: result.worker.clone(),
        failure,
        duration: Duration::from_millis(result.prove_ms),
        exit: None,
        stderr_tail: String::new(),
        peak_rss_bytes: None,
    };
    ledger.add_attempt(job.id, &failed).await?;
    retry_or_bury(bridge, job, failed).await
}

async fn retry_or_bury(
    bridge: &BridgeState,
    job: &JobRecord,
    failed: AttemptRecord,
) -> Result<(), Stopped> {
    let attempts = failed.attempt;
    let kind = job.kind.filter(|_| attempts < bridge.config.max_attempts);
    let Some(kind) = kind else {
        let why = format!("{attempts} attempts used up, the last: {}", failed.failure);
        return endings::bury(bridge, job, &why, "attempts").await;
    };
    if !publisher::retry(bridge, job, kind, &failed).await? {
        return Ok(());
    }
    RETRIED.one([kind.topic().name(), "unverified"]);
    let retrying = JobEventKind::Retrying {
        worker: failed.worker,
        attempt: failed.attempt,
        class: failed.failure.class,
        reason: failed.failure.reason,
    };
    bridge.journal.emit(job, retrying);
    Ok(())
}

/// Publishes a job again, if its state is one of `from`, because its result is lost or
/// could not be verified. `note` has the reason; the job takes the attempt of `note`.
pub(super) async fn prove_again(
    bridge: &BridgeState,
    job: &JobRecord,
    from: &[JobState],
    note: Note,
) -> Result<(), Stopped> {
    let ledger = &bridge.ledger;
    ledger.drop_result(job.id).await?;
    let moved = ledger.transition(job.id, from, JobState::Taken, &note);
    if moved.await? {
        let why = note.reason.unwrap_or_default();
        tracing::warn!(job = %job.id, "the bridge queues the job to be proved again: {why}");
        publisher::queue(bridge, job).await;
    }
    Ok(())
}
