//! The counters of a job server.

use std::{collections::BTreeMap, time::Duration};

use zkwhirl_job::TicketId;

/// How many tickets have counters of their own; later tickets count only in the sums.
const TICKETS: usize = 1 << 16;

/// The counters of a job server since the start, across restarts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Number of jobs that were created.
    pub created: u64,
    /// Number of tickets that were issued at least once.
    pub issued: u64,
    /// Number of repeated issues of a ticket: its lease was over, or a ghost
    /// poller had consumed it.
    pub reissues: u64,
    /// Number of issues to a poller whose client had disconnected.
    pub ghost_deliveries: u64,
    /// Number of pings of known tickets.
    pub pings: u64,
    /// Number of jobs that were answered with a reply.
    pub completions: u64,
    /// Number of jobs that were answered with a command other than ACK.
    pub nacks: u64,
    /// Number of answers for unknown tickets.
    pub ignored: u64,
    /// The longest time from an issue or ping to the next ping or answer.
    pub worst_gap: Duration,
    /// Separate counters for each of the first 65,536 tickets.
    pub tickets: BTreeMap<TicketId, TicketStats>,
}

/// The counters of one ticket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TicketStats {
    /// How many times the ticket was issued.
    pub issues: u32,
    /// How many times the ticket was pinged.
    pub pings: u32,
    /// The longest time from an issue or ping to the next ping or answer.
    pub worst_gap: Duration,
}

impl Stats {
    /// Returns the sum of the counters of both servers of a split Falafel.
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
