//! The data of the embedded ledger, behind its lock.

use std::collections::{BTreeMap, HashMap, VecDeque};

use bytes::Bytes;
use tokio::time::Instant;
use zkwhirl_job::{AttemptRecord, JobId, TicketId, clock};

use super::{EmbeddedLedgerConfig, fleet::MemberBridges, unverified::UnverifiedReplies};
use crate::{JobRecord, JobState, LedgerError, Note, SLOT_TTL, SlotReport, StoredResult, Ticket};

#[derive(Debug, Default)]
pub(super) struct EmbeddedState {
    pub(super) config: EmbeddedLedgerConfig,
    next: u64,
    pub(super) tickets: HashMap<TicketId, OpenTicket>,
    pub(super) members: MemberBridges,
    pub(super) jobs: HashMap<JobId, JobEntry>,
    /// Jobs in the order of their taking.
    pub(super) order: BTreeMap<u64, JobId>,
    /// Finished jobs, oldest first.
    finished: VecDeque<JobId>,
    finished_bytes: usize,
    pub(super) unverified: UnverifiedReplies,
    /// The last report of each slot, with the time of its arrival.
    pub(super) slots: BTreeMap<String, (Instant, SlotReport)>,
}

#[derive(Debug)]
pub(super) struct OpenTicket {
    pub(super) seq: u64,
    pub(super) ticket: Ticket,
    /// The bridge that pings the ticket; empty before a bridge joined.
    pub(super) owner: String,
}

#[derive(Debug)]
pub(super) struct JobEntry {
    seq: u64,
    pub(super) record: JobRecord,
    pub(super) request: Bytes,
    pub(super) result: Option<StoredResult>,
    pub(super) attempts: VecDeque<AttemptRecord>,
    /// This job's share of `finished_bytes`; `None` while it is not finished.
    counted: Option<usize>,
}

impl JobEntry {
    pub(super) fn bytes(&self) -> usize {
        let result = self.result.as_ref().map_or(0, |result| result.reply.len());
        self.request.len() + result
    }
}

impl EmbeddedState {
    pub(super) fn new(config: EmbeddedLedgerConfig) -> Self {
        Self {
            config,
            ..Self::default()
        }
    }

    /// Drops all data except the last fence, which later fences must exceed.
    pub(super) fn wipe(&mut self) {
        let config = self.config.clone();
        let members = std::mem::take(&mut self.members);
        *self = Self::new(config);
        self.members = members.forgotten();
    }

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
        let entry = JobEntry {
            seq,
            request,
            result: None,
            attempts: VecDeque::new(),
            counted: None,
            record: record.clone(),
        };
        self.jobs.insert(record.id, entry);
    }

    /// Opens a ticket for its owner. False: the ticket was open already.
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
        let open = OpenTicket {
            seq,
            ticket: ticket.clone(),
            owner: owner.to_owned(),
        };
        self.tickets.insert(ticket.id, open);
        Ok(true)
    }

    /// The open tickets for which `holds` is true, oldest first.
    pub(super) fn tickets_where(&self, holds: impl Fn(&OpenTicket) -> bool) -> Vec<Ticket> {
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
        record.attempt = note.attempt.unwrap_or(record.attempt);
        record.worker = note.worker.clone().or(record.worker.take());
        record.reason = note.reason.clone().or(record.reason.take());
        self.recount(job);
        self.evict();
    }

    /// Updates a job's share of the finished jobs' bytes.
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
