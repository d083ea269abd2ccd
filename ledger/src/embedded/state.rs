//! What the embedded ledger holds, behind its lock.

use std::collections::{BTreeMap, HashMap, VecDeque};

use bytes::Bytes;
use tokio::time::Instant;
use zkwhirl_job::{AttemptRecord, JobId, TicketId};

use super::{EmbeddedLedgerConfig, fleet::Members, unverified::UnverifiedReplies};
use crate::{JobRecord, JobState, LedgerError, Note, SLOT_TTL, SlotReport, StoredResult, Ticket};
use zkwhirl_job::clock;

/// Everything.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) config: EmbeddedLedgerConfig,
    next: u64,
    pub(super) tickets: HashMap<TicketId, Open>,
    pub(super) members: Members,
    pub(super) jobs: HashMap<JobId, Entry>,
    /// Jobs in the order of their taking.
    pub(super) order: BTreeMap<u64, JobId>,
    /// Finished jobs, oldest first; some have gone on since.
    finished: VecDeque<JobId>,
    finished_bytes: usize,
    pub(super) unverified: UnverifiedReplies,
    /// What slots said last, and when.
    pub(super) slots: BTreeMap<String, (Instant, SlotReport)>,
}

/// An open ticket.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) seq: u64,
    pub(super) ticket: Ticket,
    /// The bridge that pings it; empty when the ledger has no bridges.
    pub(super) owner: String,
}

/// A job.
#[derive(Debug)]
pub(super) struct Entry {
    seq: u64,
    pub(super) record: JobRecord,
    pub(super) request: Bytes,
    pub(super) result: Option<StoredResult>,
    pub(super) attempts: VecDeque<AttemptRecord>,
    /// What this job counts in `finished_bytes`; `None` while it is not there.
    counted: Option<usize>,
}

impl Entry {
    pub(super) fn bytes(&self) -> usize {
        let result = self.result.as_ref().map_or(0, |result| result.reply.len());
        self.request.len() + result
    }
}

impl State {
    pub(super) fn new(config: EmbeddedLedgerConfig) -> Self {
        Self {
            config,
            ..Self::default()
        }
    }

    /// Forgets everything but what fences must outlive.
    pub(super) fn wipe(&mut self) {
        let config = self.config.clone();
        let members = std::mem::take(&mut self.members);
        *self = Self::new(config);
        self.members = members.forgotten();
    }

    /// Forgets what was said too long ago.
    pub(super) fn sweep_slots(&mut self) {
        self.slots.retain(|_, (said, _)| said.elapsed() < SLOT_TTL);
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(super) fn insert(&mut self, record: JobRecord, request: Bytes) {
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

    /// A ticket is open from now on, and the owner's. False: it was open.
    pub(super) fn open(&mut self, ticket: &Ticket, owner: &str) -> Result<bool, LedgerError> {
        if let Some(open) = self.tickets.get_mut(&ticket.id) {
            if !owner.is_empty() {
                owner.clone_into(&mut open.owner);
            }
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
        let open = Open {
            seq,
            ticket: ticket.clone(),
            owner: owner.to_owned(),
        };
        self.tickets.insert(ticket.id, open);
        Ok(true)
    }

    /// Open tickets, oldest first.
    pub(super) fn tickets_where(&self, holds: impl Fn(&Open) -> bool) -> Vec<Ticket> {
        let mut open: Vec<_> = self.tickets.values().filter(|open| holds(open)).collect();
        open.sort_by_key(|open| open.seq);
        open.into_iter().map(|open| open.ticket.clone()).collect()
    }

    pub(super) fn set(&mut self, job: JobId, to: JobState, note: &Note) {
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
    pub(super) fn recount(&mut self, job: JobId) {
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
