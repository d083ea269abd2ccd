use std::{io, sync::Arc};

use tokio::sync::{Notify, mpsc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::falafel::{Client, LeaseKeeper, Links, Poller};
use crate::{
    BridgeConfig, BridgeDeps, amnesia, delivery, intake, local, pump, reconcile, sample,
    shared::{Guarded, Outlet, Shared},
    stats,
};
use zkwhirl_ledger::{JobRecord, Ticket};

/// A bridge between Falafel and the broker.
#[derive(Debug)]
pub struct Bridge {
    shared: Arc<Shared>,
    pumps: [mpsc::Receiver<JobRecord>; 2],
}

/// What operators and views hold of a running bridge; cheap to clone.
#[derive(Debug, Clone)]
pub struct BridgeHandle {
    pub(crate) shared: Arc<Shared>,
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
        let stop = CancellationToken::new();
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
            taking: Guarded::default(),
            member: Guarded::default(),
            compare: Notify::new(),
            probes: Guarded::default(),
            callers: local::Callers::default(),
            counters: stats::Counters::default(),
            rollups: Guarded::default(),
            traces: Guarded::default(),
            tasks: TaskTracker::new(),
            closed: stop.child_token(),
            stop,
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
    /// the ledger, and is taken over by another bridge that runs on it, or by
    /// the next.
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
        if let Some(adopted) = shared.enter().await {
            start(&shared, &adopted);
        }
        stop.cancelled().await;
        tasks.close();
        tasks.wait().await;
        // Pinged until others may ping.
        shared.leave().await;
        shared.stop_pinging();
        forward.abort();
    }
}

/// Starts what runs as long as the bridge does.
fn start(shared: &Arc<Shared>, adopted: &[Ticket]) {
    let tasks = &shared.tasks;
    tasks.spawn(delivery::run(shared.clone()));
    tasks.spawn(reconcile::run(shared.clone()));
    tasks.spawn(sample::run(shared.clone()));
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
        tasks.spawn(poller.run(shared.closed.clone()));
    }
}

impl BridgeHandle {
    /// Takes nothing new from Falafel or from callers, and goes on with what it
    /// has: others take the rest at once, and not only when this bridge stops.
    pub fn take_no_more(&self) {
        self.shared.closed.cancel();
    }
}

impl Shared {
    /// The handles that are left must not keep tickets alive that nobody
    /// answers any more.
    fn stop_pinging(&self) {
        let pinged = self.pinged.lock().clone();
        for ticket in pinged {
            self.close_lease(ticket);
        }
    }
}
