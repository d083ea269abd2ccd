//! Falafel's tickets: keeps which tickets are pinged, taken, answered and probed.

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

/// The upstream name of callers' tickets. No server has it: they are not pinged.
pub(crate) const LOCAL: &str = "local";

/// The tickets that this bridge keeps alive, takes, answers and probes.
#[derive(Debug)]
pub(crate) struct Tickets {
    pub(crate) leases: LeaseKeeper,
    /// The upstreams that issue tickets.
    pub(crate) links: Links,
    pub(crate) known: Locked<TicketBook>,
    /// Tickets whose lease lapses on purpose, to find out whether Falafel has restarted.
    pub(crate) probes: Locked<HashMap<TicketId, Arc<Notify>>>,
}

/// The tickets of a bridge at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct TicketBook {
    /// Tickets that are pinged.
    pub(crate) pinged: HashSet<TicketId>,
    /// The pinged tickets that are not yet in the ledger.
    pub(crate) taking: HashSet<TicketId>,
    /// Tickets whose answer is being sent.
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

    /// Pings a ticket that has just arrived from now on.
    pub(crate) fn arrived(&self, ticket: TicketId, upstream: &str) {
        self.known.lock().taking.insert(ticket);
        self.open(ticket, upstream);
    }

    /// Pings tickets from now on, and returns them; tickets of upstreams that are not
    /// configured are left out.
    pub(crate) fn keep_alive(&self, mut tickets: Vec<Ticket>) -> Vec<Ticket> {
        tickets.retain(|ticket| self.links.get(&ticket.upstream).is_some());
        for ticket in &tickets {
            self.open(ticket.id, &ticket.upstream);
        }
        tickets
    }

    /// Stops pinging a ticket.
    pub(crate) fn close(&self, ticket: TicketId) {
        self.leases.order(LeaseOrder::Close(ticket));
        self.known.lock().pinged.remove(&ticket);
    }

    /// Stops pinging all tickets: remaining handles of the bridge must not keep tickets
    /// alive that the bridge no longer answers.
    pub(crate) fn close_all(&self) {
        for ticket in self.known().pinged {
            self.close(ticket);
        }
    }

    /// Returns a copy of the present sets of tickets.
    pub(crate) fn known(&self) -> TicketBook {
        self.known.lock().clone()
    }

    /// Begins to answer a ticket. False: the answer is being sent already.
    pub(crate) fn begin_answer(&self, ticket: TicketId) -> bool {
        self.known.lock().answering.insert(ticket)
    }

    /// Lets a ticket's lease lapse. The returned value is notified when Falafel issues
    /// the ticket again.
    pub(crate) fn probe(&self, ticket: TicketId) -> Arc<Notify> {
        let issued_again = Arc::new(Notify::new());
        self.probes.lock().insert(ticket, issued_again.clone());
        self.leases.order(LeaseOrder::Lapse(ticket));
        issued_again
    }

    /// Ends a probe. `resume`: ping the ticket again if it is still open.
    pub(crate) fn end_probe(&self, ticket: &Ticket, resume: bool) {
        self.probes.lock().remove(&ticket.id);
        if resume && self.known.lock().pinged.contains(&ticket.id) {
            let open = LeaseOrder::Open(ticket.id, ticket.upstream.clone());
            self.leases.order(open);
        }
    }

    /// Notifies the probe of a ticket that Falafel issued again. True: a probe waited.
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
