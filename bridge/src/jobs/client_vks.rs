//! Verification keys of the clients' circuits: answered without a worker once
//! they are known.

use std::{collections::HashSet, fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use zkwhirl_job::{JobId, Kind};
use zkwhirl_ledger::{JobEventKind, JobRecord};

use super::results::{Maker, Results, Verdict};
use crate::{locked::Locked, retry::Stopped, services::Services};

/// The worker's name in such results.
const KEYSTORE: &str = "keystore";

/// The verification keys of the clients' circuits, which Falafel asks for when
/// it starts. Both methods may take their time: they are called on a thread for
/// blocking work. Which prover's keys they are is the store's business.
pub trait ClientVks: Send + Sync {
    /// The reply to a verification key job; `None`: not known, a worker is
    /// asked.
    fn client_vk(&self, kind: Kind) -> Option<Bytes>;

    /// A prover's verified reply to a verification key job.
    fn learn(&self, kind: Kind, reply: &Bytes);
}

impl fmt::Debug for dyn ClientVks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientVks")
    }
}

/// Answers verification key jobs from a store, if there is one.
#[derive(Debug)]
pub(crate) struct KnownVks {
    services: Services,
    results: Arc<Results>,
    store: Option<Arc<dyn ClientVks>>,
    /// Jobs that are looked up now.
    looking: Locked<HashSet<JobId>>,
}

impl KnownVks {
    pub(crate) fn new(
        services: Services,
        results: Arc<Results>,
        store: Option<Arc<dyn ClientVks>>,
    ) -> Self {
        Self {
            services,
            results,
            store,
            looking: Locked::default(),
        }
    }

    /// Whether a job may be answered without a worker.
    pub(super) fn may_know(&self, job: &JobRecord) -> bool {
        self.store.is_some() && job.kind.is_some_and(Kind::is_vk)
    }

    /// Answers a verification key job from the store. False: the key is not
    /// known. One lookup of a job at a time: another one says true at once.
    pub(super) async fn answer(&self, job: &JobRecord) -> Result<bool, Stopped> {
        if !self.looking.lock().insert(job.id) {
            return Ok(true);
        }
        let answered = self.look_up(job).await;
        self.looking.lock().remove(&job.id);
        answered
    }

    async fn look_up(&self, job: &JobRecord) -> Result<bool, Stopped> {
        let (Some(store), Some(kind)) = (self.store.clone(), job.kind) else {
            return Ok(false);
        };
        let found = tokio::task::spawn_blocking(move || store.client_vk(kind)).await;
        let Some(reply) = found.unwrap_or_default() else {
            return Ok(false);
        };
        let verified = match self.results.verify(job, reply).await? {
            Verdict::Verified(verified) => verified,
            Verdict::NotVerified(why) => {
                tracing::warn!(%kind, "the stored {kind} cannot be used; a worker makes one: {why}");
                return Ok(false);
            }
            // Its tickets come again.
            Verdict::RequestGone => return Ok(true),
        };
        let maker = Maker {
            worker: KEYSTORE.to_owned(),
            attempt: job.attempt,
            prove_ms: 0,
        };
        let proved = JobEventKind::Proved {
            worker: maker.worker.clone(),
            attempt: maker.attempt,
            duration: Duration::ZERO,
            reply_bytes: verified.reply().len(),
            peak_rss_bytes: None,
        };
        let journal = &self.services.journal;
        journal.counters.from_keystore.one();
        journal.emit(job, proved);
        self.results.accept(job, verified, &maker).await?;
        Ok(true)
    }

    /// Offers a prover's verified reply to the store, if it is a key.
    pub(super) fn learn(&self, kind: Kind, reply: Bytes) {
        if let (Some(store), true) = (self.store.clone(), kind.is_vk()) {
            tokio::task::spawn_blocking(move || store.learn(kind, &reply));
        }
    }
}
