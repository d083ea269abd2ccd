use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, broadcast},
    time::Instant,
};
use zkwhirl_ledger::{JobRecord, JobState, LISTING, LedgerError, model::FleetModel};

use crate::{ConsoleConfig, audit::AuditLog};

/// The age up to which a listing of jobs is shared by viewers.
const LISTING_AGE: Duration = Duration::from_millis(500);
/// The number of changes that a viewer may lag behind, at most.
const BACKLOG: usize = 256;

#[derive(Debug)]
pub(super) struct ConsoleState {
    pub(super) config: ConsoleConfig,
    model: Mutex<FleetModel>,
    /// Sends the JSON of each change to the streams of server-sent events.
    pub(super) changes: broadcast::Sender<Arc<str>>,
    pub(super) audit: AuditLog,
    /// Has one permit, so that actions are done one at a time.
    pub(super) acting: Semaphore,
    listing: tokio::sync::Mutex<Option<(Instant, Arc<Vec<JobRecord>>)>>,
}

impl ConsoleState {
    pub(super) fn new(config: ConsoleConfig) -> Self {
        Self {
            config,
            model: Mutex::default(),
            changes: broadcast::Sender::new(BACKLOG),
            audit: AuditLog::default(),
            acting: Semaphore::new(1),
            listing: tokio::sync::Mutex::default(),
        }
    }

    pub(super) fn model(&self) -> MutexGuard<'_, FleetModel> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All jobs in the ledger, oldest first, read at most [`LISTING_AGE`] ago.
    pub(super) async fn listing(&self) -> Result<Arc<Vec<JobRecord>>, LedgerError> {
        let mut listing = self.listing.lock().await;
        if let Some((read, jobs)) = &*listing
            && read.elapsed() < LISTING_AGE
        {
            return Ok(jobs.clone());
        }
        let ledger = self.config.bridge.ledger();
        let jobs = Arc::new(ledger.jobs(&JobState::ALL, LISTING).await?);
        *listing = Some((Instant::now(), jobs.clone()));
        Ok(jobs)
    }

    /// Drops the shared listing, so that the next viewer reads the ledger.
    pub(super) async fn forget_listing(&self) {
        *self.listing.lock().await = None;
    }
}
