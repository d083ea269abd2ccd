//! The console: what a person sees of a bridge and its fleet, and what an
//! operator does about it.
//!
//! ```text
//! GET  /console                       the page; its assets are in this binary
//! GET  /console/api/status            how the bridge is, and what is wrong now
//! GET  /console/api/{rollups,jobs,jobs/ID,workers,dead,keys,queues,audit}
//! GET  /console/api/events            server-sent events: something changed
//! GET  /console/api/dead/ID/request   a dead job's request, for an operator
//! POST /console/api/actions           replay, reject, cancel, quiet, loud, drain
//! ```
//! Everything is read from the ledger and the broker, so any bridge of a fleet
//! tells the same. What happened when is remembered in memory (`chronicle.rs`):
//! from this process's events, or from the ledger's where it keeps them.
//! **Invariants:** reading changes nothing; acting needs the operator's token,
//! is bounded, and is written down before it is done; no answer holds a body of
//! a request but the one that says so.

mod act;
mod audit;
mod chronicle;
mod follow;
mod page;
mod read;
mod rollups;
mod routes;
mod status;
mod stream;
pub mod views;

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

use crate::{
    BridgeHandle,
    api::AdminToken,
    ledger::{JobRecord, LISTING, LedgerError},
};
use act::Action;
use audit::Audit;
use chronicle::Chronicle;

pub use act::{Act, Acted, MOST};

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
struct Inner {
    config: ConsoleConfig,
    chronicle: Mutex<Chronicle>,
    changes: broadcast::Sender<Arc<str>>,
    audit: Audit,
    /// One action at a time.
    desk: Semaphore,
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
    fn chronicle(&self) -> MutexGuard<'_, Chronicle> {
        let chronicle = self.chronicle.lock();
        chronicle.unwrap_or_else(PoisonError::into_inner)
    }

    /// All jobs that the ledger knows, oldest first.
    async fn listing(&self) -> Result<Arc<Vec<JobRecord>>, LedgerError> {
        let mut listing = self.listing.lock().await;
        if let Some((read, jobs)) = &*listing
            && read.elapsed() < FRESH
        {
            return Ok(jobs.clone());
        }
        let ledger = self.config.bridge.ledger();
        let jobs = ledger.jobs(&crate::ledger::JobState::ALL, LISTING).await?;
        let jobs = Arc::new(jobs);
        *listing = Some((Instant::now(), jobs.clone()));
        Ok(jobs)
    }

    /// The next listing is a new one.
    async fn forget_listing(&self) {
        *self.listing.lock().await = None;
    }
}
