//! The counters of a job server.

use std::{collections::BTreeMap, time::Duration};

use zkwhirl_job::TicketId;

/// Tickets that are counted one by one; beyond, only the sums go on.
const TICKETS: usize = 1 << 16;

/// Counters since the start, across restarts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Jobs created.
    pub created: u64,
    /// Hand-outs, the first one of each ticket.
    pub issued: u64,
    /// Hand-outs of a ticket that had been handed out before: its lease was
    /// over, or a ghost poller had swallowed it.
    pub reissues: u64,
    /// Hand-outs to a poller that was gone.
    pub ghost_deliveries: u64,
    /// Pings of known tickets.
    pub pings: u64,
    /// Jobs answered with a reply.
    pub completions: u64,
    /// Jobs answered with anything else.
    pub nacks: u64,
    /// Answers for unknown tickets.
    pub ignored: u64,
    /// The longest time from a hand-out or ping to the next ping or answer.
    pub worst_gap: Duration,
    /// The same for each of the first 65,536 tickets.
    pub tickets: BTreeMap<TicketId, TicketStats>,
}

/// Counters of one ticket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TicketStats {
    /// How often it was handed out.
    pub issues: u32,
    /// How often it was pinged.
    pub pings: u32,
    /// The longest time from a hand-out or ping to the next ping or answer.
    pub worst_gap: Duration,
}

impl Stats {
    /// Both servers of a split Falafel as one.
    pub(crate) fn merged(mut self, other: Self) -> Self {
        self.created += other.created;
        self.issued += other.issued;
        self.reissues += other.reissues;
        self.ghost_deliveries += other.ghost_deliveries;
        self.pings += other.pings;
        self.completions += other.completions;
        self.nacks += other.nacks;
        self.ignored += other.ignored;
        self.worst_gap = self.worst_gap.max(other.worst_gap);
        self.tickets.extend(other.tickets);
        self
    }

    pub(super) fn issued(&mut self, ticket: TicketId, again: bool) {
        if again {
            self.reissues += 1;
        } else {
            self.issued += 1;
        }
        self.of(ticket, |entry| entry.issues += 1);
    }

    pub(super) fn pinged(&mut self, ticket: TicketId, gap: Option<Duration>) {
        self.pings += 1;
        self.of(ticket, |entry| entry.pings += 1);
        self.gap(ticket, gap);
    }

    pub(super) fn gap(&mut self, ticket: TicketId, gap: Option<Duration>) {
        let gap = gap.unwrap_or_default();
        self.of(ticket, |entry| entry.worst_gap = entry.worst_gap.max(gap));
        self.worst_gap = self.worst_gap.max(gap);
    }

    fn of(&mut self, ticket: TicketId, count: impl FnOnce(&mut TicketStats)) {
        let room = self.tickets.len() < TICKETS;
        if room || self.tickets.contains_key(&ticket) {
            count(self.tickets.entry(ticket).or_default());
        }
    }
}
