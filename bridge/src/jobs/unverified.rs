//! Keeps replies that the gate cannot check now, because a key or its store is absent.
//!
//! The reply is stored in the ledger, apart from the results, and its message is
//! acknowledged, so that it delays no other result. The reply is verified again and
//! again until the gate decides. If that takes too long the job is proved again; no
//! attempt is counted, because no prover failed.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use zkwhirl_job::{JobId, clock, clock::Backoff, reply::NotVerified};
use zkwhirl_ledger::{
    JobRecord,
    JobState::{self, Claimed, Delivered, Proved, Proving, Queued, Retrying},
    Note, StoredResult,
};

use super::{
    endings,
    results::{self, GateVerdict},
};
use crate::{retry::Stopped, state::BridgeState};

/// How many replies are verified again at the same time: a proof takes a core.
pub(crate) const CHECKS: usize = 2;
/// The longest pause divided by the first pause.
const FIRST: u32 = 16;

/// The states from which an undecided job is proved again. In all other states the job
/// waits for an operator, or is not wanted.
const WANTED: [JobState; 6] = [Queued, Claimed, Proving, Retrying, Proved, Delivered];

/// Stores a result whose reply cannot be checked now, because of `reason`.
pub(super) async fn keep(
    bridge: &Arc<BridgeState>,
    job: &JobRecord,
    result: &StoredResult,
    reason: &str,
) -> Result<(), Stopped> {
    tracing::warn!(job = %job.id, "reply kept unverified, to be checked again: {reason}");
    bridge.ledger.store_unverified(job.id, result).await?;
    check(bridge, job.id);
    Ok(())
}

/// Verifies the stored reply of a job again until the gate decides, in the background,
/// unless this bridge already does.
pub(crate) fn check(bridge: &Arc<BridgeState>, job: JobId) {
    if !bridge.checking.lock().insert(job) {
        return;
    }
    let this = bridge.clone();
    bridge.tasks.spawn(async move {
        let work = until_decided(this.clone(), job);
        let worked = this.tasks.item("unverified reply", work).await;
        if let Ok(None) = endings::park_if_panicked(&this, job, worked).await {
            // `Err`: the bridge stops, and the next start checks the reply again.
            let _ = this.ledger.drop_unverified(job).await;
        }
        this.checking.lock().remove(&job);
    });
}

async fn until_decided(bridge: Arc<BridgeState>, job: JobId) -> Result<(), Stopped> {
    let (ledger, timing) = (&bridge.ledger, &bridge.config.timing);
    let longest = timing.recheck_every;
    let mut backoff = Backoff::new(longest / FIRST, longest);
    let mut until = None;
    loop {
        bridge.retry.pause(backoff.pause()).await?;
        let kept = ledger.unverified(job).await?;
        let record = ledger.job(job).await?;
        let (Some(kept), Some(record)) = (kept, record) else {
            return ledger.drop_unverified(job).await;
        };
        // The end in time of tokio's clock, which also times the pauses.
        let until = *until.get_or_insert_with(|| {
            let age = Duration::from_millis(clock::now_ms().saturating_sub(kept.since_ms));
            Instant::now() + timing.unverified_for.saturating_sub(age)
        });
        if decided(&bridge, &record, &kept.result, until).await? {
            return Ok(());
        }
    }
}

/// Verifies a reply again. False: the reply still cannot be checked, and `until` has not
/// come. After `until` the job is proved again.
async fn decided(
    bridge: &Arc<BridgeState>,
    job: &JobRecord,
    kept: &StoredResult,
    until: Instant,
) -> Result<bool, Stopped> {
    let ledger = &bridge.ledger;
    if matches!(job.state, JobState::Rejected | JobState::Withdrawn) {
        ledger.drop_unverified(job.id).await?;
        return Ok(true);
    }
    // The semaphore is never closed.
    let permit = bridge.checks.acquire().await;
    let verdict = results::verify(bridge, job, kept).await?;
    drop(permit);
    match verdict {
        GateVerdict::Verified(verified) => {
            let answered = [Proved, Delivered];
            if answered.contains(&job.state) {
                results::proved(bridge, job, &answered, verified).await?;
            } else {
                results::accept(bridge, job, verified).await?;
            }
            // Dropped only now, when the reply is among the results.
            ledger.drop_unverified(job.id).await?;
        }
        GateVerdict::NotVerified(NotVerified::Refused { reason }) => {
            // Dropped first: the next attempt's reply may be unverified as well.
            ledger.drop_unverified(job.id).await?;
            results::refuse(bridge, job, kept, reason).await?;
        }
        GateVerdict::NotVerified(NotVerified::CannotCheck { reason }) => {
            if Instant::now() < until {
                return Ok(false);
            }
            ledger.drop_unverified(job.id).await?;
            let waited = bridge.config.timing.unverified_for;
            let why = format!("its reply could not be verified for {waited:?}: {reason}");
            results::prove_again(bridge, job, &WANTED, Note::because(why)).await?;
        }
        // Falafel issues the job's tickets again.
        GateVerdict::RequestGone => ledger.drop_unverified(job.id).await?,
    }
    Ok(true)
}
