//! The bridge: Falafel's tickets become jobs in the broker, and their results
//! come home.
//!
//! ```text
//! poller (one per upstream) ─► intake ─► pump (one per topic) ─► broker
//!                                │                                  │ results
//! lease keeper (own thread) ◄────┤                                  ▼
//! Falafel ◄── answers (one task per ticket) ◄── delivery: verify, store, ack
//! ```
//! Beside them `reconcile` compares what ledger, broker and leases believe, and
//! `amnesia` finds out whether Falafel still knows its tickets.

mod amnesia;
mod answers;
mod coalesce;
mod config;
mod delivery;
mod intake;
mod operator;
mod pump;
mod reconcile;
mod shared;
mod stats;
#[cfg(test)]
mod tests;
mod verify;

use std::{io, sync::Arc};

use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use zkwhirl_job::JobId;

pub use config::{BridgeConfig, BridgeDeps, ReplyVerifier, Timing};
pub use operator::OperatorError;
pub use stats::{BridgeStats, UpstreamStats};

use crate::{
    falafel::{Client, LeaseKeeper, Links, Poller},
    ledger::Ticket,
};
use shared::{Guarded, Outlet, Shared};

/// A bridge between Falafel and the broker.
#[derive(Debug)]
pub struct Bridge {
    shared: Arc<Shared>,
    pumps: [mpsc::Receiver<JobId>; 2],
}

/// What operators and views hold of a running bridge; cheap to clone.
#[derive(Debug, Clone)]
pub struct BridgeHandle {
    shared: Arc<Shared>,
}

impl Bridge {
    /// A bridge that does nothing before it runs, but whose lease thread is
    /// there. Fails when the operating system gives no thread.
    pub fn new(config: BridgeConfig, deps: BridgeDeps) -> io::Result<Self> {
        let links = Links::new(&config.upstreams);
        let leases = LeaseKeeper::start(links.clone(), config.leases.clone())?;
        let outlets = config.upstreams.iter().map(|upstream| {
            let outlet = Outlet::new(Client::new(upstream.base.clone()));
            (upstream.name.clone(), outlet)
        });
        let (inner, inner_jobs) = mpsc::channel(pump::BACKLOG);
        let (outer, outer_jobs) = mpsc::channel(pump::BACKLOG);
        let shared = Shared {
            outlets: outlets.collect(),
            config,
            deps,
            leases,
            links,
            pumps: [inner, outer],
            pumped: Guarded::default(),
            answering: Guarded::default(),
            pinged: Guarded::default(),
            probes: Guarded::default(),
            counters: stats::Counters::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        };
        Ok(Self {
            shared: Arc::new(shared),
            pumps: [inner_jobs, outer_jobs],
        })
    }

    /// The handle of operators and views.
    pub fn handle(&self) -> BridgeHandle {
        BridgeHandle {
            shared: self.shared.clone(),
        }
    }

    /// Bridges until `shutdown` is cancelled. What is open then stays open in
    /// the ledger, and is adopted by the next bridge that runs on it.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self { shared, pumps } = self;
        let stop = shared.stop.clone();
        let tasks = shared.tasks.clone();
        let forward = tokio::spawn({
            let stop = stop.clone();
            async move {
                shutdown.cancelled().await;
                stop.cancel();
            }
        });
        for jobs in pumps {
            tasks.spawn(pump::run(shared.clone(), jobs));
        }
        if let Some(adopted) = shared.adopt().await {
            start(&shared, &adopted);
        }
        stop.cancelled().await;
        tasks.close();
        tasks.wait().await;
        shared.stop_pinging();
        forward.abort();
    }
}

/// Starts what runs as long as the bridge does.
fn start(shared: &Arc<Shared>, adopted: &[Ticket]) {
    let tasks = &shared.tasks;
    tasks.spawn(delivery::run(shared.clone()));
    tasks.spawn(reconcile::run(shared.clone()));
    let sink = Arc::new(intake::Intake {
        shared: shared.clone(),
    });
    for link in shared.links.iter() {
        let name = &link.upstream.name;
        let restarted = adopted.iter().any(|ticket| ticket.upstream == *name);
        tasks.spawn(amnesia::watch(shared.clone(), link.clone(), restarted));
        let poller = Poller {
            link: link.clone(),
            sink: sink.clone(),
            longest: shared.config.timing.longest_pause,
        };
        tasks.spawn(poller.run(shared.stop.clone()));
    }
}

impl Shared {
    /// Keeps the tickets alive that the bridge before this one left.
    async fn adopt(&self) -> Option<Vec<Ticket>> {
        let ledger = &self.deps.ledger;
        let open = self
            .insist("list tickets", || ledger.open_tickets())
            .await?;
        let (tickets, others): (Vec<_>, Vec<_>) = open
            .into_iter()
            .partition(|ticket| self.links.get(&ticket.upstream).is_some());
        for ticket in others {
            // Nobody could ping or answer it. Falafel, if it is still there
            // under another name, issues it again.
            let (id, upstream) = (ticket.id.short(), &ticket.upstream);
            tracing::warn!(ticket = %id, upstream, "no such upstream is configured: ticket closed");
            self.insist("close a ticket", || ledger.close_ticket(ticket.id))
                .await?;
        }
        for ticket in &tickets {
            self.open_lease(ticket.id, &ticket.upstream);
        }
        if !tickets.is_empty() {
            tracing::info!(count = tickets.len(), "adopted open tickets");
        }
        Some(tickets)
    }

    /// The handles that are left must not keep tickets alive that nobody
    /// answers any more.
    fn stop_pinging(&self) {
        let pinged = self.pinged.lock().clone();
        for ticket in pinged {
            self.close_lease(ticket);
        }
    }
}
