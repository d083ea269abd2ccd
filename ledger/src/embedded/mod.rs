//! The ledger in memory: for the demo, and the reference for other back-ends.
//!
//! Memory is bounded. Finished jobs, their requests and results are kept for
//! coalescing within a budget of jobs and bytes; the oldest go first. The limit of
//! open tickets bounds the jobs that are not finished.

mod fleet;
mod state;
#[cfg(test)]
mod tests;
mod unverified;

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::{sync::watch, time::Instant};
use zkwhirl_job::{AttemptRecord, JobId, TicketId, limits};

use super::{
    JobRecord, JobState, LISTING, Ledger, LedgerError, Note, OPEN_TICKETS, SLOTS, SlotReport,
    StoredResult, Taken, Ticket, UnverifiedReply,
};
use state::{EmbeddedState, JobEntry};

/// The settings of the embedded ledger.
#[derive(Debug, Clone)]
pub struct EmbeddedLedgerConfig {
    /// How many tickets may be open at once.
    pub open_tickets: usize,
    /// How many finished jobs are kept, at most.
    pub finished_jobs: usize,
    /// How many bytes of requests and results of finished jobs are kept, at most.
    pub finished_bytes: usize,
}

impl Default for EmbeddedLedgerConfig {
    fn default() -> Self {
        Self {
            open_tickets: OPEN_TICKETS,
            finished_jobs: 4_096,
            finished_bytes: 256 << 20,
        }
    }
}

/// The ledger in memory. Clones are one handle of one bridge;
/// [`EmbeddedLedger::another`] makes a handle for another bridge.
#[derive(Debug, Clone, Default)]
pub struct EmbeddedLedger {
    shared: Arc<SharedLedger>,
    handle: Arc<Handle>,
}

#[derive(Debug, Default)]
struct SharedLedger {
    state: Mutex<EmbeddedState>,
    losses: watch::Sender<u64>,
}

/// The state of one handle, which belongs to one bridge or one worker.
#[derive(Debug, Default)]
struct Handle {
    /// The bridge that takes tickets through this handle; empty before it joined.
    bridge: Mutex<String>,
    away: AtomicBool,
}

impl EmbeddedLedger {
    /// Makes an empty ledger.
    pub fn new(config: EmbeddedLedgerConfig) -> Self {
        Self {
            shared: Arc::new(SharedLedger {
                state: Mutex::new(EmbeddedState::new(config)),
                losses: watch::Sender::default(),
            }),
            handle: Arc::default(),
        }
    }

    /// Makes a handle of the same ledger for another bridge.
    pub fn another(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            handle: Arc::default(),
        }
    }

    /// Drops all data, like a flushed Redis, and counts the loss.
    pub fn wipe(&self) {
        self.lock().wipe();
        self.shared.losses.send_modify(|losses| *losses += 1);
    }

    /// Sets whether every call through this handle and its clones fails with
    /// [`LedgerError::Away`].
    #[cfg(any(test, feature = "test-util"))]
    pub fn set_away(&self, away: bool) {
        self.handle.away.store(away, Ordering::Relaxed);
    }

    /// How many jobs and bytes are in memory, for tests of the bounds.
    pub fn footprint(&self) -> (usize, usize) {
        let state = self.lock();
        let bytes = state.jobs.values().map(JobEntry::bytes).sum();
        (state.jobs.len(), bytes)
    }

    fn lock(&self) -> MutexGuard<'_, EmbeddedState> {
        let state = self.shared.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> Result<MutexGuard<'_, EmbeddedState>, LedgerError> {
        if self.handle.away.load(Ordering::Relaxed) {
            return Err(LedgerError::Away("the test took it away".into()));
        }
        Ok(self.lock())
    }

    fn bridge(&self) -> MutexGuard<'_, String> {
        let bridge = self.handle.bridge.lock();
        bridge.unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Ledger for EmbeddedLedger {
    async fn take(
        &self,
        ticket: &Ticket,
        job: &JobRecord,
        request: &Bytes,
    ) -> Result<Taken, LedgerError> {
        let mut state = self.state()?;
        let new_ticket = state.open(ticket, &self.bridge())?;
        let known = state.jobs.get(&job.id).map(|entry| entry.record.state);
        match known {
            None => state.insert(job.clone(), request.clone()),
            Some(JobState::Withdrawn | JobState::Rejected) => {
                let note = Note {
                    attempt: Some(1),
                    ..Note::default()
                };
                state.set(job.id, JobState::Taken, &note);
            }
            Some(_) => {}
        }
        Ok(Taken {
            new_ticket,
            new_job: known.is_none(),
            job: state.jobs[&job.id].record.clone(),
        })
    }

    async fn open_tickets(&self) -> Result<Vec<Ticket>, LedgerError> {
        Ok(self.state()?.tickets_where(|_| true))
    }

    async fn tickets_of(&self, job: JobId) -> Result<Vec<Ticket>, LedgerError> {
        Ok(self.state()?.tickets_where(|open| open.ticket.job == job))
    }

    async fn close_ticket(&self, ticket: TicketId) -> Result<bool, LedgerError> {
        Ok(self.state()?.tickets.remove(&ticket).is_some())
    }

    async fn job(&self, job: JobId) -> Result<Option<JobRecord>, LedgerError> {
        let state = self.state()?;
        Ok(state.jobs.get(&job).map(|entry| entry.record.clone()))
    }

    async fn jobs(&self, states: &[JobState], limit: usize) -> Result<Vec<JobRecord>, LedgerError> {
        let state = self.state()?;
        let entries = state.order.values().filter_map(|job| state.jobs.get(job));
        let records = entries.map(|entry| &entry.record);
        let found = records.filter(|record| states.contains(&record.state));
        Ok(found.take(limit.min(LISTING)).cloned().collect())
    }

    async fn transition(
        &self,
        job: JobId,
        from: &[JobState],
        to: JobState,
        note: &Note,
    ) -> Result<bool, LedgerError> {
        let mut state = self.state()?;
        let Some(now) = state.jobs.get(&job).map(|entry| entry.record.state) else {
            return Ok(false);
        };
        let moves = from.contains(&now) && now.may_become(to);
        if moves {
            state.set(job, to, note);
        }
        Ok(moves)
    }

    async fn request(&self, job: JobId) -> Result<Option<Bytes>, LedgerError> {
        let state = self.state()?;
        Ok(state.jobs.get(&job).map(|entry| entry.request.clone()))
    }

    async fn store_result(&self, job: JobId, result: &StoredResult) -> Result<bool, LedgerError> {
        let mut state = self.state()?;
        let Some(entry) = state.jobs.get_mut(&job) else {
            return Ok(false);
        };
        if entry.result.as_ref().is_some_and(StoredResult::is_intact) {
            return Ok(false);
        }
        entry.result = Some(result.clone());
        state.recount(job);
        Ok(true)
    }

    async fn result(&self, job: JobId) -> Result<Option<StoredResult>, LedgerError> {
        let mut state = self.state()?;
        let Some(entry) = state.jobs.get_mut(&job) else {
            return Ok(None);
        };
        entry.result.take_if(|result| !result.is_intact());
        let result = entry.result.clone();
        state.recount(job);
        Ok(result)
    }

    async fn drop_result(&self, job: JobId) -> Result<(), LedgerError> {
        let mut state = self.state()?;
        if let Some(entry) = state.jobs.get_mut(&job) {
            entry.result = None;
        }
        state.recount(job);
        Ok(())
    }

    async fn store_unverified(&self, job: JobId, result: &StoredResult) -> Result<(), LedgerError> {
        self.state()?.unverified.keep(job, result);
        Ok(())
    }

    async fn unverified(&self, job: JobId) -> Result<Option<UnverifiedReply>, LedgerError> {
        let mut state = self.state()?;
        let mut kept = state.unverified.swept().iter();
        let kept = kept.find(|(other, _)| *other == job);
        Ok(kept.map(|(_, kept)| kept.clone()))
    }

    async fn unverified_jobs(&self) -> Result<Vec<JobId>, LedgerError> {
        let mut state = self.state()?;
        let jobs = state.unverified.swept().iter().map(|(job, _)| *job);
        Ok(jobs.collect())
    }

    async fn drop_unverified(&self, job: JobId) -> Result<(), LedgerError> {
        let mut state = self.state()?;
        state.unverified.swept().retain(|(other, _)| *other != job);
        Ok(())
    }

    async fn add_attempt(&self, job: JobId, attempt: &AttemptRecord) -> Result<(), LedgerError> {
        if let Some(entry) = self.state()?.jobs.get_mut(&job) {
            if entry.attempts.len() == limits::ATTEMPT_RECORDS {
                entry.attempts.pop_front();
            }
            entry.attempts.push_back(attempt.clone());
        }
        Ok(())
    }

    async fn attempts(&self, job: JobId) -> Result<Vec<AttemptRecord>, LedgerError> {
        let state = self.state()?;
        let attempts = state.jobs.get(&job).map(|entry| &entry.attempts);
        Ok(attempts.into_iter().flatten().cloned().collect())
    }

    async fn report(&self, slot: &SlotReport) -> Result<(), LedgerError> {
        let mut state = self.state()?;
        state.sweep_slots();
        if state.slots.len() < SLOTS || state.slots.contains_key(&slot.slot) {
            let said = (Instant::now(), slot.clone());
            state.slots.insert(slot.slot.clone(), said);
        }
        Ok(())
    }

    async fn slots(&self) -> Result<Vec<SlotReport>, LedgerError> {
        let mut state = self.state()?;
        state.sweep_slots();
        Ok(state.slots.values().map(|(_, slot)| slot.clone()).collect())
    }

    fn losses(&self) -> watch::Receiver<u64> {
        self.shared.losses.subscribe()
    }
}
