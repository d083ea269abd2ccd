use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::Router;
use tokio::{
    sync::{Semaphore, broadcast},
    time::Instant,
};

use crate::audit::Audit;
use crate::chronicle::Chronicle;
use crate::{follow, routes, views};
use zkwhirl_bridge::{BridgeHandle, api::AdminToken};
use zkwhirl_ledger::{JobRecord, LISTING, LedgerError};

/// How old a listing may be that several viewers share.
const FRESH: Duration = Duration::from_millis(500);
/// Changes that a viewer may lag behind.
const BACKLOG: usize = 256;

/// The keys that are here.
pub trait Keys: Send + Sync {
    /// Each of them. It may take its time: it is called on a thread for
    /// blocking work.
    fn keys(&self) -> Vec<views::Key>;
}

impl fmt::Debug for dyn Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

/// What a console is made of.
#[derive(Debug, Clone)]
pub struct ConsoleConfig {
    /// The bridge that it shows.
    pub bridge: BridgeHandle,
    /// The keys that are here.
    pub keys: Arc<dyn Keys>,
    /// The operator's token; `None`: nobody may act.
    pub token: Option<AdminToken>,
}

/// The console of one bridge; clones are the same.
#[derive(Debug, Clone)]
pub struct Console {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) config: ConsoleConfig,
    chronicle: Mutex<Chronicle>,
    pub(crate) changes: broadcast::Sender<Arc<str>>,
    pub(crate) audit: Audit,
    /// One action at a time.
    pub(crate) desk: Semaphore,
    listing: tokio::sync::Mutex<Option<(Instant, Arc<Vec<JobRecord>>)>>,
}

impl Console {
    /// A console that follows its bridge from now on, on this runtime. Start
    /// it before the bridge takes jobs.
    pub fn start(config: ConsoleConfig) -> Self {
        let events = config.bridge.events().subscribe();
        let inner = Arc::new(Inner {
            config,
            chronicle: Mutex::default(),
            changes: broadcast::Sender::new(BACKLOG),
            audit: Audit::default(),
            desk: Semaphore::new(1),
            listing: tokio::sync::Mutex::default(),
        });
        tokio::spawn(follow::run(Arc::downgrade(&inner), events));
        Self { inner }
    }

    /// Its routes, from `/console` on.
    pub fn router(&self) -> Router {
        routes::router(self.inner.clone())
    }
}

impl Inner {
    pub(crate) fn chronicle(&self) -> MutexGuard<'_, Chronicle> {
        let chronicle = self.chronicle.lock();
        chronicle.unwrap_or_else(PoisonError::into_inner)
    }

    /// All jobs that the ledger knows, oldest first.
    pub(crate) async fn listing(&self) -> Result<Arc<Vec<JobRecord>>, LedgerError> {
        let mut listing = self.listing.lock().await;
        if let Some((read, jobs)) = &*listing
            && read.elapsed() < FRESH
        {
            return Ok(jobs.clone());
        }
        let ledger = self.config.bridge.ledger();
        let jobs = ledger.jobs(&zkwhirl_ledger::JobState::ALL, LISTING).await?;
        let jobs = Arc::new(jobs);
        *listing = Some((Instant::now(), jobs.clone()));
        Ok(jobs)
    }

    /// The next listing is a new one.
    pub(crate) async fn forget_listing(&self) {
        *self.listing.lock().await = None;
    }
}
