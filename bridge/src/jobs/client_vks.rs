//! Verification keys of the clients' circuits: answered without a worker once
//! they are known.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use zkwhirl_job::Kind;

use super::shared::Shared;
use zkwhirl_ledger::{JobRecord, JobState, StoredResult, events::What};

/// Who made such a reply, as far as anybody asks.
const KEYSTORE: &str = "keystore";

fn is_vk(kind: Kind) -> bool {
    matches!(kind, Kind::JoinSplitVk | Kind::AccountVk)
}

impl Shared {
    /// Whether jobs of a kind may be answered without a worker.
    pub(super) fn may_know(&self, kind: Kind) -> bool {
        self.deps.client_vks.is_some() && is_vk(kind)
    }

    /// Answers a verification key job from the store. False: the key is not
    /// known; `None`: the bridge stops.
    pub(super) async fn answer_from_keystore(self: &Arc<Self>, job: &JobRecord) -> Option<bool> {
        let (Some(vks), Some(kind)) = (self.deps.client_vks.clone(), job.kind) else {
            return Some(false);
        };
        let found = tokio::task::spawn_blocking(move || vks.client_vk(kind)).await;
        let Some(reply) = found.unwrap_or_default() else {
            return Some(false);
        };
        let Some(request) = self.request(job).await? else {
            // It comes again.
            return Some(true);
        };
        let verified = match self.verify(job, request, reply).await? {
            Ok(verified) => verified,
            Err(why) => {
                tracing::warn!(%kind, "the known {kind} cannot be used, a worker is asked: {why}");
                return Some(false);
            }
        };
        let result = StoredResult {
            reply: verified.reply().clone(),
            digest: *verified.digest(),
            attempt: job.attempt,
            worker: KEYSTORE.to_owned(),
            prove_ms: 0,
        };
        self.keep(job, &result).await?;
        self.counters.from_keystore.one();
        self.completed(job, Duration::ZERO);
        let what = What::Proved {
            worker: KEYSTORE.to_owned(),
            attempt: job.attempt,
            duration: Duration::ZERO,
            reply_bytes: verified.reply().len(),
            peak_rss_bytes: None,
        };
        self.emit(job, what);
        self.proved(job, &JobState::ALL, &verified).await?;
        Some(true)
    }

    /// Offers a prover's verified reply to the store, when it is a key.
    pub(super) fn learn(&self, kind: Kind, reply: &Bytes) {
        if let (Some(vks), true) = (self.deps.client_vks.clone(), is_vk(kind)) {
            let reply = reply.clone();
            self.tasks.spawn_blocking(move || vks.learn(kind, &reply));
        }
    }
}
