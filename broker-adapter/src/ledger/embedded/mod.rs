//! The ledger in memory: demo mode, and the model that the others must match.
//!
//! Memory stays flat: finished jobs, their requests and results are kept for
//! coalescing only as far as a budget of bytes and of jobs goes, oldest first
//! out. What is not finished is bounded by the tickets that may be open.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use zkwhirl_job::{AttemptRecord, JobId, TicketId, limits};

use super::{
    JobRecord, JobState, LISTING, Ledger, LedgerError, Note, OPEN_TICKETS, StoredResult, Taken,
    Ticket,
};
use crate::clock;

/// What can be set about the embedded ledger.
#[derive(Debug, Clone)]
pub struct EmbeddedConfig {
    /// Tickets that may be open at once.
    pub open_tickets: usize,
    /// Finished jobs that are remembered.
    pub finished_jobs: usize,
    /// Bytes of requests and results that finished jobs may keep.
    pub finished_bytes: usize,
}

impl Default for EmbeddedConfig {
    fn default() -> Self {
        Self {
            open_tickets: OPEN_TICKETS,
            finished_jobs: 4_096,
            finished_bytes: 256 << 20,
        }
    }
}

/// The ledger in memory. Clones are the same ledger.
#[derive(Debug, Clone, Default)]
pub struct Embedded {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    config: EmbeddedConfig,
    next: u64,
    tickets: HashMap<TicketId, (u64, Ticket)>,
    jobs: HashMap<JobId, Entry>,
    /// Jobs in the order of their taking.
    order: BTreeMap<u64, JobId>,
    /// Finished jobs, oldest first; some have gone on since.
    finished: VecDeque<JobId>,
    finished_bytes: usize,
}

#[derive(Debug)]
struct Entry {
    seq: u64,
    record: JobRecord,
    request: Bytes,
    result: Option<StoredResult>,
    attempts: VecDeque<AttemptRecord>,
    /// What this job counts in `finished_bytes`; `None` while it is not there.
    counted: Option<usize>,
}

impl Entry {
    fn bytes(&self) -> usize {
        let result = self.result.as_ref().map_or(0, |result| result.reply.len());
        self.request.len() + result
    }
}

impl Embedded {
    /// An empty ledger.
    pub fn new(config: EmbeddedConfig) -> Self {
        let state = State {
            config,
            ..State::default()
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Forgets everything, as a Redis that was flushed.
    pub fn wipe(&self) {
        let mut state = self.state();
        let config = state.config.clone();
        *state = State {
            config,
            ..State::default()
        };
    }

    /// Jobs and bytes that are held, for tests of flat memory.
    pub fn footprint(&self) -> (usize, usize) {
        let state = self.state();
        let bytes = state.jobs.values().map(Entry::bytes).sum();
        (state.jobs.len(), bytes)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn insert(&mut self, record: JobRecord, request: Bytes) {
        let seq = self.number();
        self.order.insert(seq, record.id);
        let entry = Entry {
            seq,
            request,
            result: None,
            attempts: VecDeque::new(),
            counted: None,
            record: record.clone(),
        };
        self.jobs.insert(record.id, entry);
    }

    fn open(&mut self, ticket: &Ticket) -> Result<bool, LedgerError> {
        if self.tickets.contains_key(&ticket.id) {
            return Ok(false);
        }
        let limit = self.config.open_tickets;
        if self.tickets.len() >= limit {
            return Err(LedgerError::Full {
                what: "open tickets",
                limit,
            });
        }
        let seq = self.number();
        self.tickets.insert(ticket.id, (seq, ticket.clone()));
        Ok(true)
    }

    /// Open tickets, oldest first.
    fn tickets_where(&self, holds: impl Fn(&Ticket) -> bool) -> Vec<Ticket> {
        let tickets = self.tickets.values();
        let mut tickets: Vec<_> = tickets.filter(|(_, ticket)| holds(ticket)).collect();
        tickets.sort_by_key(|(seq, _)| *seq);
        tickets
            .into_iter()
            .map(|(_, ticket)| ticket.clone())
            .collect()
    }

    fn set(&mut self, job: JobId, to: JobState, note: &Note) {
        let Some(entry) = self.jobs.get_mut(&job) else {
            return;
        };
        let record = &mut entry.record;
        record.state = to;
        record.changed_at_ms = clock::now_ms();
        if let Some(attempt) = note.attempt {
            record.attempt = attempt;
        }
        if let Some(worker) = &note.worker {
            record.worker = Some(worker.clone());
        }
        if let Some(reason) = &note.reason {
            record.reason = Some(reason.clone());
        }
        self.recount(job);
        self.evict();
    }

    /// Brings what a job counts among the finished up to date.
    fn recount(&mut self, job: JobId) {
        let Some(entry) = self.jobs.get_mut(&job) else {
            return;
        };
        let finished = entry.record.state.is_finished();
        let now = finished.then(|| entry.bytes());
        let before = std::mem::replace(&mut entry.counted, now);
        self.finished_bytes -= before.unwrap_or(0);
        self.finished_bytes += now.unwrap_or(0);
        match (before, now) {
            (None, Some(_)) => self.finished.push_back(job),
            (Some(_), None) => self.finished.retain(|other| *other != job),
            _ => {}
        }
    }

    fn evict(&mut self) {
        while self.finished.len() > self.config.finished_jobs
            || self.finished_bytes > self.config.finished_bytes
        {
            let Some(job) = self.finished.pop_front() else {
                return;
            };
            if let Some(entry) = self.jobs.remove(&job) {
                self.order.remove(&entry.seq);
                self.finished_bytes -= entry.counted.unwrap_or(0);
            }
        }
    }
}

#[async_trait]
impl Ledger for Embedded {
    async fn take(
        &self,
        ticket: &Ticket,
        job: &JobRecord,
        request: &Bytes,
    ) -> Result<Taken, LedgerError> {
        let mut state = self.state();
        let new_ticket = state.open(ticket)?;
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
        Ok(self.state().tickets_where(|_| true))
    }

    async fn tickets_of(&self, job: JobId) -> Result<Vec<Ticket>, LedgerError> {
        Ok(self.state().tickets_where(|ticket| ticket.job == job))
    }

    async fn close_ticket(&self, ticket: TicketId) -> Result<bool, LedgerError> {
        Ok(self.state().tickets.remove(&ticket).is_some())
    }

    async fn job(&self, job: JobId) -> Result<Option<JobRecord>, LedgerError> {
        let state = self.state();
        Ok(state.jobs.get(&job).map(|entry| entry.record.clone()))
    }

    async fn jobs(&self, states: &[JobState], limit: usize) -> Result<Vec<JobRecord>, LedgerError> {
        let state = self.state();
        let records = state.order.values().filter_map(|job| state.jobs.get(job));
        Ok(records
            .map(|entry| &entry.record)
            .filter(|record| states.contains(&record.state))
            .take(limit.min(LISTING))
            .cloned()
            .collect())
    }

    async fn transition(
        &self,
        job: JobId,
        from: &[JobState],
        to: JobState,
        note: &Note,
    ) -> Result<bool, LedgerError> {
        let mut state = self.state();
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
        let state = self.state();
        Ok(state.jobs.get(&job).map(|entry| entry.request.clone()))
    }

    async fn store_result(&self, job: JobId, result: &StoredResult) -> Result<bool, LedgerError> {
        let mut state = self.state();
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
        let mut state = self.state();
        let Some(entry) = state.jobs.get_mut(&job) else {
            return Ok(None);
        };
        entry.result.take_if(|result| !result.is_intact());
        let result = entry.result.clone();
        state.recount(job);
        Ok(result)
    }

    async fn drop_result(&self, job: JobId) -> Result<(), LedgerError> {
        let mut state = self.state();
        if let Some(entry) = state.jobs.get_mut(&job) {
            entry.result = None;
        }
        state.recount(job);
        Ok(())
    }

    async fn add_attempt(&self, job: JobId, attempt: &AttemptRecord) -> Result<(), LedgerError> {
        if let Some(entry) = self.state().jobs.get_mut(&job) {
            if entry.attempts.len() == limits::ATTEMPT_RECORDS {
                entry.attempts.pop_front();
            }
            entry.attempts.push_back(attempt.clone());
        }
        Ok(())
    }

    async fn attempts(&self, job: JobId) -> Result<Vec<AttemptRecord>, LedgerError> {
        let state = self.state();
        let attempts = state.jobs.get(&job).map(|entry| &entry.attempts);
        Ok(attempts.into_iter().flatten().cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::conformance::{record, ticket};

    async fn make() -> Arc<dyn Ledger> {
        Arc::new(Embedded::default())
    }

    mod conformance {
        crate::ledger_conformance!(super::make);
    }

    #[tokio::test]
    async fn finished_jobs_are_forgotten_beyond_the_budget_and_open_ones_never() {
        let ledger = Embedded::new(EmbeddedConfig {
            finished_jobs: 100,
            finished_bytes: 1_000,
            ..EmbeddedConfig::default()
        });
        let request = Bytes::from_static(&[7; 64]);
        for n in 0..1_000 {
            let job = record(n);
            ledger
                .take(&ticket(n, job.id), &job, &request)
                .await
                .unwrap();
            if n % 100 != 0 {
                let result = StoredResult::new(Bytes::from_static(b"reply"), 1, "w", 1);
                ledger.store_result(job.id, &result).await.unwrap();
                for (from, to) in [
                    (JobState::Taken, JobState::Proved),
                    (JobState::Proved, JobState::Delivered),
                ] {
                    let note = Note::default();
                    assert!(ledger.transition(job.id, &[from], to, &note).await.unwrap());
                }
            }
        }
        let (jobs, bytes) = ledger.footprint();
        assert_eq!(jobs, 10 + 1_000 / 69, "{bytes} bytes");
        let open = ledger.jobs(&[JobState::Taken], 100).await.unwrap();
        assert_eq!(open.len(), 10);
    }

    #[tokio::test]
    async fn a_result_whose_bytes_changed_is_none() {
        let ledger = Embedded::default();
        let job = record(1);
        ledger
            .take(&ticket(1, job.id), &job, &Bytes::new())
            .await
            .unwrap();
        let mut bad = StoredResult::new(Bytes::from_static(b"reply"), 1, "w", 1);
        bad.reply = Bytes::from_static(b"rotten");
        ledger.store_result(job.id, &bad).await.unwrap();
        assert_eq!(ledger.result(job.id).await.unwrap(), None);
        let good = StoredResult::new(Bytes::from_static(b"reply"), 2, "w", 1);
        assert!(ledger.store_result(job.id, &good).await.unwrap());
        assert_eq!(ledger.result(job.id).await.unwrap(), Some(good));
    }

    #[tokio::test]
    async fn open_tickets_are_bounded() {
        let ledger = Embedded::new(EmbeddedConfig {
            open_tickets: 1,
            ..EmbeddedConfig::default()
        });
        let job = record(1);
        ledger
            .take(&ticket(1, job.id), &job, &Bytes::new())
            .await
            .unwrap();
        let full = ledger.take(&ticket(2, job.id), &job, &Bytes::new()).await;
        assert_eq!(
            full.unwrap_err().to_string(),
            "the ledger holds 1 open tickets, its limit"
        );
    }
}
