//! The lease keeper, which pings every open ticket.
//!
//! The keeper has a thread and a runtime of its own, on which no other work may run: a
//! bridge that is busy parsing or verifying must not lose a lease. Falafel issues a
//! ticket again after 5 s without a ping; each ticket is pinged once per second, and the
//! tickets are spread over the second.

use std::{
    any::Any, collections::HashMap, io, panic::AssertUnwindSafe, sync::Arc, thread::JoinHandle,
    time::Duration,
};

use futures_util::FutureExt;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval},
};
use zkwhirl_job::TicketId;
use zkwhirl_telemetry::{catalogue::bridge as metric, handle};

use super::{Client, ClientError, Links};
use crate::{failpoint::Failpoints, locked::Locked};

/// Settings of the lease keeper.
#[derive(Debug, Clone)]
pub struct LeaseConfig {
    /// The time between two pings of a ticket.
    pub every: Duration,
    /// How long a ping may take; below `every`.
    pub timeout: Duration,
    /// How many pings may be in flight at the same time, over all tickets.
    pub in_flight: usize,
}

impl Default for LeaseConfig {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(1),
            timeout: Duration::from_millis(800),
            in_flight: 256,
        }
    }
}

/// Measurements of the lease keeper.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LeaseStats {
    /// How many tickets are pinged.
    pub(crate) open: usize,
    /// The longest time that any ticket was without an answered ping since the
    /// start. Falafel allows 5 s.
    pub(crate) worst_gap: Duration,
    /// The longest time that an open ticket has been without an answered ping
    /// until now.
    pub(crate) current_gap: Duration,
}

/// The longest time that Falafel allows between two pings of a ticket.
const ALLOWED: Duration = Duration::from_secs(5);
/// Half of the period of which the margin's metric shows the worst value.
const HALF_MINUTE: Duration = Duration::from_secs(30);

/// Handles of the keeper's metrics: hundreds of pings are recorded each second.
struct Meters {
    open: handle::Gauge,
    answered: handle::Counter,
    failed: handle::Counter,
    gap: handle::Histogram,
    worst: handle::Gauge,
    margin: handle::Gauge,
    /// The worst gap of this half minute, and of the previous one.
    lately: [Duration; 2],
    since: Instant,
}

impl Meters {
    fn new() -> Self {
        let margin = metric::MARGIN.of([]);
        margin.set(ALLOWED.as_secs_f64());
        Self {
            open: metric::LEASES.of([]),
            answered: metric::PINGS.of(["ok"]),
            failed: metric::PINGS.of(["error"]),
            gap: metric::PING_GAP.of([]),
            worst: metric::WORST_GAP.of([]),
            margin,
            lately: [Duration::ZERO; 2],
            since: Instant::now(),
        }
    }

    /// Records the longest present gap of the open tickets, and the worst gap of all.
    fn saw(&mut self, current: Duration, worst: Duration) {
        if self.since.elapsed() >= HALF_MINUTE {
            self.lately = [Duration::ZERO, self.lately[0]];
            self.since = Instant::now();
        }
        self.lately[0] = self.lately[0].max(current);
        let lately = self.lately[0].max(self.lately[1]);
        let margin = ALLOWED.as_secs_f64() - lately.as_secs_f64();
        self.margin.set(margin);
        self.worst.set(worst.as_secs_f64());
    }
}

/// An order to the keeper about a ticket.
#[derive(Debug)]
pub(crate) enum LeaseOrder {
    /// Pings a ticket of an upstream at once and from now on, also a ticket that is open
    /// already.
    Open(TicketId, String),
    /// Stops pinging a ticket until it is opened again: its lease lapses, but the keeper
    /// still has the ticket.
    Lapse(TicketId),
    /// Stops pinging a ticket for good.
    Close(TicketId),
}

/// The handle of the keeper's thread; dropping it ends the thread and joins it.
#[derive(Debug)]
pub(crate) struct LeaseKeeper {
    orders: Option<mpsc::UnboundedSender<LeaseOrder>>,
    stats: Arc<Locked<LeaseStats>>,
    thread: Option<JoinHandle<()>>,
}

/// Receives the panic that ended the keeper's thread, if it ended by a panic.
pub(crate) type LeaseThreadEnd = oneshot::Receiver<Box<dyn Any + Send>>;

impl LeaseKeeper {
    /// The thread's name as a core task.
    pub(crate) const THREAD: &str = "lease thread";

    /// Starts the thread.
    pub(crate) fn start(
        links: Links,
        config: LeaseConfig,
        failpoints: Failpoints,
    ) -> io::Result<(Self, LeaseThreadEnd)> {
        // Unbounded, because sending must never wait; the ledger's limit of open
        // tickets bounds the number of orders.
        let (sender, receiver) = mpsc::unbounded_channel();
        let stats = Arc::new(Locked::default());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let mut keeper = Keeper {
            links,
            config,
            stats: stats.clone(),
            meters: Meters::new(),
            clients: HashMap::new(),
            leases: HashMap::new(),
            load: vec![0; SLOTS],
            pings: JoinSet::new(),
        };
        let (panicked, end) = oneshot::channel();
        let run = async move {
            let run = failpoints.within(Self::THREAD, keeper.run(receiver));
            if let Err(panic) = AssertUnwindSafe(run).catch_unwind().await {
                // Without a receiver the bridge has been dropped.
                let _ = panicked.send(panic);
            }
        };
        let thread = std::thread::Builder::new()
            .name("leases".into())
            .spawn(move || runtime.block_on(run))?;
        let keeper = Self {
            orders: Some(sender),
            stats,
            thread: Some(thread),
        };
        Ok((keeper, end))
    }

    /// The keeper's measurements.
    pub(crate) fn stats(&self) -> LeaseStats {
        *self.stats.lock()
    }

    pub(crate) fn order(&self, order: LeaseOrder) {
        if let Some(orders) = &self.orders {
            // Without the thread the bridge is about to stop.
            let _ = orders.send(order);
        }
    }
}

impl Drop for LeaseKeeper {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that pings Falafel's tickets panicked; restart the bridge");
        }
    }
}

#[derive(Debug)]
struct Lease {
    upstream: String,
    slot: usize,
    last: Instant,
    in_flight: bool,
    lapsed: bool,
}

struct Keeper {
    links: Links,
    config: LeaseConfig,
    stats: Arc<Locked<LeaseStats>>,
    meters: Meters,
    clients: HashMap<String, Client>,
    leases: HashMap<TicketId, Lease>,
    /// How many tickets each slot of the period has: a new ticket gets the emptiest slot.
    load: Vec<usize>,
    pings: JoinSet<(TicketId, Result<(), ClientError>)>,
}

/// How many slots the period between two pings is divided into.
const SLOTS: usize = 40;

impl Keeper {
    async fn run(&mut self, mut orders: mpsc::UnboundedReceiver<LeaseOrder>) {
        for link in self.links.iter() {
            let client = Client::new(link.upstream.base.clone());
            self.clients.insert(link.upstream.name.clone(), client);
        }
        let mut ticks = interval(self.config.every / SLOTS as u32);
        // After a stall the missed slots are pinged now, one after the other.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut slot = 0;
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.obey(order),
                    None => return,
                },
                _ = ticks.tick() => {
                    slot = (slot + 1) % SLOTS;
                    self.ping_slot(slot);
                }
                Some(done) = self.pings.join_next() => {
                    if let Ok((ticket, answered)) = done {
                        self.pinged(ticket, &answered);
                    }
                }
            }
        }
    }

    fn obey(&mut self, order: LeaseOrder) {
        match order {
            LeaseOrder::Open(ticket, upstream) => {
                if let Some(lease) = self.leases.get_mut(&ticket) {
                    if std::mem::take(&mut lease.lapsed) {
                        lease.last = Instant::now();
                    }
                } else {
                    let slot = (0..SLOTS).min_by_key(|slot| self.load[*slot]).unwrap_or(0);
                    self.load[slot] += 1;
                    let lease = Lease {
                        upstream,
                        slot,
                        last: Instant::now(),
                        in_flight: false,
                        lapsed: false,
                    };
                    self.leases.insert(ticket, lease);
                }
                self.ping(ticket);
            }
            LeaseOrder::Lapse(ticket) => {
                if let Some(lease) = self.leases.get_mut(&ticket) {
                    lease.lapsed = true;
                }
            }
            LeaseOrder::Close(ticket) => {
                if let Some(lease) = self.leases.remove(&ticket) {
                    self.load[lease.slot] -= 1;
                }
            }
        }
        self.stats.lock().open = self.leases.len();
        self.meters.open.set(self.leases.len() as f64);
    }

    fn ping_slot(&mut self, slot: usize) {
        let mut current = Duration::ZERO;
        let mut due = Vec::new();
        for (ticket, lease) in &self.leases {
            if !lease.lapsed {
                current = current.max(lease.last.elapsed());
            }
            if lease.slot == slot {
                due.push(*ticket);
            }
        }
        let worst = self.saw_gap(current);
        self.stats.lock().current_gap = current;
        self.meters.saw(current, worst);
        for ticket in due {
            self.ping(ticket);
        }
    }

    fn ping(&mut self, ticket: TicketId) {
        let Some(lease) = self.leases.get_mut(&ticket) else {
            return;
        };
        let busy = lease.in_flight || self.pings.len() >= self.config.in_flight;
        let Some(client) = self.clients.get(&lease.upstream) else {
            return;
        };
        if busy || lease.lapsed {
            return;
        }
        lease.in_flight = true;
        let (client, timeout) = (client.clone(), self.config.timeout);
        self.pings.spawn(async move {
            let start = Instant::now();
            let mut answered = client.ping(ticket, timeout).await;
            let left = timeout.saturating_sub(start.elapsed());
            if answered.is_err() && !left.is_zero() {
                // The server may have closed a pooled connection just now: try
                // once more within the same time.
                answered = client.ping(ticket, left).await;
            }
            (ticket, answered)
        });
    }

    fn pinged(&mut self, ticket: TicketId, answered: &Result<(), ClientError>) {
        let pings = match answered {
            Ok(()) => &self.meters.answered,
            Err(_) => &self.meters.failed,
        };
        pings.increment(1);
        let Some(lease) = self.leases.get_mut(&ticket) else {
            return;
        };
        lease.in_flight = false;
        let link = self.links.get(&lease.upstream);
        match answered {
            Ok(()) => {
                let gap = lease.last.elapsed();
                lease.last = Instant::now();
                link.inspect(|link| link.answered());
                self.meters.gap.record(gap);
                self.saw_gap(gap);
            }
            Err(ClientError::Connect(..)) => {
                link.inspect(|link| link.refused());
            }
            // The server is slow or gave a wrong answer, but it is reachable.
            Err(_) => {}
        }
    }

    /// Updates and returns the worst gap since the start.
    fn saw_gap(&self, gap: Duration) -> Duration {
        let mut stats = self.stats.lock();
        stats.worst_gap = stats.worst_gap.max(gap);
        stats.worst_gap
    }
}
