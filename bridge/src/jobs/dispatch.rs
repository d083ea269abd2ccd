//! Takes the next step of a job, by its state.

use std::{future::Future, sync::Arc};

use zkwhirl_job::{JobId, reply::NotVerified};
use zkwhirl_ledger::{JobRecord, JobState, Note};

use super::{
    admission::admit,
    answers, client_vks, endings, publisher,
    results::{self, GateVerdict},
    unverified,
};
use crate::{falafel::Rejection, retry::Stopped, state::BridgeState};

/// Takes the next step of a job for which a ticket has just been taken.
pub(super) async fn join(bridge: &Arc<BridgeState>, job: &JobRecord) {
    match job.state {
        JobState::Taken => publish(bridge, job).await,
        JobState::Proved | JobState::Delivered => {
            let (this, record) = (bridge.clone(), job.clone());
            // In the background: verifying takes time, and the poll must not wait.
            in_background(bridge, job.id, async move {
                answer_from_store(&this, &record).await
            });
        }
        // The job's result will answer this ticket as well.
        JobState::Queued | JobState::Claimed | JobState::Proving | JobState::Retrying => {}
        // An operator replays or rejects the dead letter, for all its tickets.
        JobState::Dead => {}
        // The ledger starts these jobs again when a ticket is taken.
        JobState::Rejected | JobState::Withdrawn => {}
    }
}

/// Publishes a job, or answers it if it is a verification key job with a known key.
pub(crate) async fn publish(bridge: &Arc<BridgeState>, job: &JobRecord) {
    if !client_vks::may_know(bridge, job) {
        publisher::queue(bridge, job).await;
        return;
    }
    let (this, record) = (bridge.clone(), job.clone());
    // In the background: the lookup may take time, and the poll must not wait.
    in_background(bridge, job.id, async move {
        if !client_vks::answer(&this, &record).await? {
            publisher::queue(&this, &record).await;
        }
        Ok(())
    });
}

/// Makes a dead letter of a job that no prover should see, in the background: the poll
/// must not wait while the broker is unreachable.
pub(super) fn park(bridge: &Arc<BridgeState>, job: &JobRecord, why: String, death: &'static str) {
    let (this, record) = (bridge.clone(), job.clone());
    in_background(bridge, job.id, async move {
        endings::bury(&this, &record, &why, death).await
    });
}

/// Takes the next step of a job for which tickets wait, after a restart, an adoption or
/// a loss.
pub(crate) async fn carry_on(bridge: &Arc<BridgeState>, job: &JobRecord) -> Result<(), Stopped> {
    let waits = job.state == JobState::Dead || JobState::OUTSTANDING.contains(&job.state);
    if waits && client_vks::may_know(bridge, job) && client_vks::answer(bridge, job).await? {
        // The key was imported since the job was taken.
        return Ok(());
    }
    match job.state {
        JobState::Taken => readmit(bridge, job).await?,
        JobState::Proved | JobState::Delivered => answer_from_store(bridge, job).await?,
        JobState::Withdrawn => {
            let note = Note {
                attempt: Some(1),
                ..Note::default()
            };
            let (ledger, from) = (&bridge.ledger, [JobState::Withdrawn]);
            let moved = ledger.transition(job.id, &from, JobState::Taken, &note);
            if moved.await? {
                publish(bridge, job).await;
            }
        }
        // An operator rejected the job before the bridge restarted.
        JobState::Rejected => {
            if let Some(rejection) = Rejection::of(job) {
                answers::reject(bridge, job, rejection).await?;
            }
        }
        JobState::Dead => endings::restore_letter(bridge, job).await?,
        JobState::Queued | JobState::Claimed | JobState::Proving | JobState::Retrying => {}
    }
    Ok(())
}

/// Publishes or buries a job that was taken and is not yet in the broker.
async fn readmit(bridge: &Arc<BridgeState>, job: &JobRecord) -> Result<(), Stopped> {
    let Some(request) = bridge.requests.of(job.id).await? else {
        return Ok(());
    };
    match admit(job, &request, bridge.config.sizes) {
        Err(why) => park(bridge, job, why.to_string(), "request"),
        Ok(_) => publish(bridge, job).await,
    }
    Ok(())
}

/// Answers the tickets of a proved job. If its result is lost or does not verify any
/// more, the job is proved again.
async fn answer_from_store(bridge: &Arc<BridgeState>, job: &JobRecord) -> Result<(), Stopped> {
    let from = [JobState::Delivered, JobState::Proved];
    let again = |why: String| Note {
        attempt: Some(1),
        ..Note::because(why)
    };
    let Some(stored) = bridge.ledger.result(job.id).await? else {
        let note = again("its result is lost".to_owned());
        return results::prove_again(bridge, job, &from, note).await;
    };
    match results::verify(bridge, job, &stored).await? {
        GateVerdict::Verified(verified) => results::proved(bridge, job, &from, verified).await,
        GateVerdict::NotVerified(NotVerified::Refused { reason }) => {
            results::prove_again(bridge, job, &from, again(reason)).await
        }
        GateVerdict::NotVerified(NotVerified::CannotCheck { reason }) => {
            unverified::keep(bridge, job, &stored, &reason).await
        }
        GateVerdict::RequestGone => Ok(()),
    }
}

/// Starts work on one job, without waiting for it.
fn in_background(
    bridge: &Arc<BridgeState>,
    job: JobId,
    work: impl Future<Output = Result<(), Stopped>> + Send + 'static,
) {
    let this = bridge.clone();
    bridge.tasks.spawn(async move {
        let worked = this.tasks.item("job", work).await;
        // `Err`: the bridge stops, and the next start takes the job up.
        let _ = endings::park_if_panicked(&this, job, worked).await;
    });
}
