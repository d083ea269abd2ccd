//! Falafel's tickets: which of them are pinged, and what happens to them.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use tokio::sync::Notify;
use zkwhirl_job::TicketId;
use zkwhirl_ledger::Ticket;

use crate::{
    falafel::{LeaseKeeper, LeaseOrder, Links},
    locked::Locked,
};

/// The upstream of callers' tickets. It is no server: its tickets are not pinged.
pub(crate) const LOCAL: &str = "local";

/// The tickets that this bridge keeps alive, takes, answers and probes.
#[derive(Debug)]
pub(crate) struct Tickets {
    pub(crate) leases: LeaseKeeper,
    /// The upstreams that tickets come from.
    pub(crate) links: Links,
    pub(crate) known: Locked<TicketBook>,
    /// Tickets whose lease lapses on purpose, to see whether Falafel remembers.
    pub(crate) probes: Locked<HashMap<TicketId, Arc<Notify>>>,
}

/// What a bridge knows about its tickets at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct TicketBook {
    /// Tickets that are pinged.
    pub(crate) pinged: HashSet<TicketId>,
    /// Of those, the ones that are not yet in the ledger.
    pub(crate) taking: HashSet<TicketId>,
    /// Tickets whose answer is on its way.
    pub(crate) answering: HashSet<TicketId>,
}

impl Tickets {
    pub(crate) fn new(leases: LeaseKeeper, links: Links) -> Self {
        Self {
            leases,
            links,
            known: Locked::default(),
            probes: Locked::default(),
        }
    }

    /// A ticket has just arrived: it is pinged from now on.
    pub(crate) fn arrived(&self, ticket: TicketId, upstream: &str) {
        self.known.lock().taking.insert(ticket);
        self.open(ticket, upstream);
    }

    /// Pings tickets from now on, and returns them; those of upstreams that are
    /// not configured are left out.
    pub(crate) fn keep_alive(&self, mut tickets: Vec<Ticket>) -> Vec<Ticket> {
        tickets.retain(|ticket| self.links.get(&ticket.upstream).is_some());
        for ticket in &tickets {
            self.open(ticket.id, &ticket.upstream);
        }
        tickets
    }

    /// Pings a ticket no more.
    pub(crate) fn close(&self, ticket: TicketId) {
        self.leases.order(LeaseOrder::Close(ticket));
        self.known.lock().pinged.remove(&ticket);
    }

    /// Pings nothing more: handles of the bridge that are left must not keep
    /// tickets alive that the bridge no longer answers.
    pub(crate) fn close_all(&self) {
        for ticket in self.known().pinged {
            self.close(ticket);
        }
    }

    /// What is known about all tickets now.
    pub(crate) fn known(&self) -> TicketBook {
        self.known.lock().clone()
    }

    /// Begins to answer a ticket. False: its answer is on its way already.
    pub(crate) fn begin_answer(&self, ticket: TicketId) -> bool {
        self.known.lock().answering.insert(ticket)
    }

    /// Lets a ticket's lease lapse, and tells when Falafel issues it again.
    pub(crate) fn probe(&self, ticket: TicketId) -> Arc<Notify> {
        let issued_again = Arc::new(Notify::new());
        self.probes.lock().insert(ticket, issued_again.clone());
        self.leases.order(LeaseOrder::Lapse(ticket));
        issued_again
    }

    /// Ends a probe; `resume`: the ticket is pinged again, if it is still open.
    pub(crate) fn end_probe(&self, ticket: &Ticket, resume: bool) {
        self.probes.lock().remove(&ticket.id);
        if resume && self.known.lock().pinged.contains(&ticket.id) {
            let open = LeaseOrder::Open(ticket.id, ticket.upstream.clone());
            self.leases.order(open);
        }
    }

    /// Falafel issued an open ticket again. True: a probe waited for that.
    pub(crate) fn issued_again(&self, ticket: TicketId) -> bool {
        let probe = self.probes.lock().get(&ticket).cloned();
        probe.inspect(|probe| probe.notify_one()).is_some()
    }

    fn open(&self, ticket: TicketId, upstream: &str) {
        self.known.lock().pinged.insert(ticket);
        let open = LeaseOrder::Open(ticket, upstream.to_owned());
        self.leases.order(open);
    }
}
