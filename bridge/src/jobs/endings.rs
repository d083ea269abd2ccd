//! Ends a job without a proof: as a dead letter, or withdrawn.

use zkwhirl_broker_adapter::{DeadClass, DeadLetter};
use zkwhirl_job::{JobId, clock};
use zkwhirl_ledger::{
    JobEventKind, JobRecord,
    JobState::{self, Claimed, Dead, Queued, Retrying, Taken},
    Note,
};
use zkwhirl_telemetry::catalogue::bridge::COMPLETED;

use crate::{journal::topic_name, retry::Stopped, state::BridgeState, supervise::ItemPanicked};

/// Makes a dead letter of a job, then records the job's state in the ledger. The job's
/// tickets stay open. `why` follows `job 1c9f… parked: `.
pub(crate) async fn bury(
    bridge: &BridgeState,
    job: &JobRecord,
    why: &str,
    death: &'static str,
) -> Result<(), Stopped> {
    let reason = DeadLetter::parked(job.id, why);
    if !write_letter(bridge, job, &reason).await? {
        return Ok(());
    }
    let (ledger, note) = (&bridge.ledger, Note::because(&*reason));
    let moved = ledger.transition(job.id, &JobState::ALL, JobState::Dead, &note);
    if moved.await? {
        bridge.journal.dead(job, &reason, death);
    }
    Ok(())
}

/// Returns the outcome of work on a job. `None`: the bridge panicked over the job, and
/// has made a dead letter of it.
pub(crate) async fn park_if_panicked<T>(
    bridge: &BridgeState,
    job: JobId,
    worked: Result<Result<T, Stopped>, ItemPanicked>,
) -> Result<Option<T>, Stopped> {
    match worked {
        Ok(done) => done.map(Some),
        Err(panic) => {
            bury_panicked(bridge, job, &panic.to_string()).await?;
            Ok(None)
        }
    }
}

/// Buries a job over which the bridge panicked, unless the job is proved or has ended:
/// then the job's next ticket, or the next comparison, continues it.
async fn bury_panicked(bridge: &BridgeState, job: JobId, why: &str) -> Result<(), Stopped> {
    let record = bridge.ledger.job(job).await?;
    let goes_on = |job: &JobRecord| {
        job.state == JobState::Taken || JobState::OUTSTANDING.contains(&job.state)
    };
    tracing::error!(job = %job, "cannot continue the job, an unproved one becomes a dead letter: {why}");
    match record.filter(goes_on) {
        Some(record) => bury(bridge, &record, why, "bridge").await,
        None => Ok(()),
    }
}

/// Publishes the letter of a dead job again if the broker has lost it.
pub(crate) async fn restore_letter(bridge: &BridgeState, job: &JobRecord) -> Result<(), Stopped> {
    if bridge.broker.dead_letter(job.id).await?.is_none() {
        let reason = job.reason.clone().unwrap_or_default();
        write_letter(bridge, job, &reason).await?;
    }
    Ok(())
}

/// Publishes a dead letter. False: the ledger has lost the job's request, and so the job.
async fn write_letter(
    bridge: &BridgeState,
    job: &JobRecord,
    reason: &str,
) -> Result<bool, Stopped> {
    let Some(request) = bridge.requests.of(job.id).await? else {
        return Ok(false);
    };
    let letter = DeadLetter {
        class: DeadClass::Failed,
        id: job.id,
        kind: job.kind,
        rollup_id: job.rollup_id,
        reason: reason.to_owned(),
        history: bridge.ledger.attempts(job.id).await?,
        taken_at_ms: job.taken_at_ms,
        died_at_ms: clock::now_ms(),
        payload: bridge.requests.payload(request),
    };
    bridge.broker.bury(&letter).await?;
    Ok(true)
}

/// Records that no ticket waits for a job. Workers drop a withdrawn job at its claim.
pub(crate) async fn withdraw(bridge: &BridgeState, job: &JobRecord) -> Result<(), Stopped> {
    // A job that a prover works on continues: it may be nearly done, and the same
    // request usually comes back under a new id.
    let from = [Taken, Queued, Claimed, Retrying, Dead];
    let note = Note::because("no ticket waits for the job any more");
    let ledger = &bridge.ledger;
    let moved = ledger.transition(job.id, &from, JobState::Withdrawn, &note);
    if moved.await? {
        bridge.broker.remove_dead(job.id).await?;
        COMPLETED.one([topic_name(job.kind), "withdrawn"]);
        bridge.journal.emit(job, JobEventKind::Withdrawn);
        forget(bridge, job.id);
    }
    Ok(())
}

/// Records that all tickets of a proved job are answered.
pub(crate) async fn delivered(bridge: &BridgeState, job: JobId) -> Result<(), Stopped> {
    bridge.requests.forget(job);
    let (from, note) = ([JobState::Proved], Note::default());
    let ledger = &bridge.ledger;
    let moved = ledger.transition(job, &from, JobState::Delivered, &note);
    moved.await.map(drop)
}

/// Drops an unwanted job's request, and tells workers in the background to stop proving
/// the job.
pub(super) fn forget(bridge: &BridgeState, job: JobId) {
    bridge.requests.forget(job);
    let broker = bridge.broker.clone();
    bridge.tasks.spawn(async move { broker.cancel(job).await });
}
