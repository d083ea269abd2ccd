//! Answers requests for the verification keys of the clients' circuits without a
//! worker, once the keys are known.

use std::{fmt::Debug, sync::Arc, time::Duration};

use bytes::Bytes;
use zkwhirl_job::Kind;
use zkwhirl_ledger::{JobEventKind, JobRecord, StoredResult};
use zkwhirl_telemetry::catalogue::bridge::KEYSTORE_ANSWERS;

use super::results::{self, GateVerdict};
use crate::{retry::Stopped, state::BridgeState};

/// The worker's name in results from the key store.
const KEYSTORE: &str = "keystore";

/// A store of the verification keys of the clients' circuits, which Falafel requests
/// when it starts. Both methods may block: they run on a thread for blocking work. The
/// store decides which prover's keys it has.
pub trait ClientVks: Debug + Send + Sync {
    /// Returns the reply to a verification key job. `None`: the key is unknown, and a
    /// worker makes the reply.
    fn client_vk(&self, kind: Kind) -> Option<Bytes>;

    /// Stores a prover's verified reply to a verification key job.
    fn learn(&self, kind: Kind, reply: &Bytes);
}

/// Whether the store may have the reply to a job.
pub(super) fn may_know(bridge: &BridgeState, job: &JobRecord) -> bool {
    bridge.client_vks.is_some() && job.kind.is_some_and(Kind::is_vk)
}

/// Answers a verification key job from the store. False: the key is unknown. Returns
/// true at once while another call looks the job's key up.
pub(super) async fn answer(bridge: &Arc<BridgeState>, job: &JobRecord) -> Result<bool, Stopped> {
    if !bridge.looking_up.lock().insert(job.id) {
        return Ok(true);
    }
    let answered = look_up(bridge, job).await;
    bridge.looking_up.lock().remove(&job.id);
    answered
}

async fn look_up(bridge: &Arc<BridgeState>, job: &JobRecord) -> Result<bool, Stopped> {
    let (Some(store), Some(kind)) = (bridge.client_vks.clone(), job.kind) else {
        return Ok(false);
    };
    let found = tokio::task::spawn_blocking(move || store.client_vk(kind)).await;
    let Some(reply) = found.unwrap_or_default() else {
        return Ok(false);
    };
    let result = StoredResult::new(reply, job.attempt, KEYSTORE, 0);
    let verified = match results::verify(bridge, job, &result).await? {
        GateVerdict::Verified(verified) => verified,
        GateVerdict::NotVerified(why) => {
            tracing::warn!(%kind, "the stored {kind} is unusable, a worker makes a new one: {why}");
            return Ok(false);
        }
        // Falafel issues the job's tickets again.
        GateVerdict::RequestGone => return Ok(true),
    };
    let proved = JobEventKind::Proved {
        worker: result.worker,
        attempt: result.attempt,
        duration: Duration::ZERO,
        reply_bytes: result.reply.len(),
        peak_rss_bytes: None,
    };
    let journal = &bridge.journal;
    journal.one(&KEYSTORE_ANSWERS, |stats| &mut stats.from_keystore);
    journal.emit(job, proved);
    results::accept(bridge, job, verified).await?;
    Ok(true)
}

/// Offers a prover's verified reply to the store, if the reply is a key.
pub(super) fn learn(bridge: &BridgeState, kind: Kind, reply: Bytes) {
    if let (Some(store), true) = (bridge.client_vks.clone(), kind.is_vk()) {
        tokio::task::spawn_blocking(move || store.learn(kind, &reply));
    }
}
