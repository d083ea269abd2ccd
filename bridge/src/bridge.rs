//! The composition root: makes the parts of a bridge, connects them, and runs
//! their loops.

use std::{io, panic::resume_unwind, sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, Semaphore, mpsc},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use zkwhirl_job::Topic;
use zkwhirl_ledger::JobRecord;

use crate::{
    BridgeConfig, BridgeDeps, BridgeHandle, CoreTaskEnded,
    falafel::{LeaseKeeper, LeaseThreadEnd, Links},
    fleet::{Amnesia, membership, reconcile, sample},
    jobs::{Requests, ask, delivery, poller, publisher, unverified},
    journal::Journal,
    locked::Locked,
    retry::{Retry, RetryingBroker, RetryingLedger, Stopped},
    state::BridgeState,
    supervise::Tasks,
    tickets::Tickets,
};

/// How long a bridge waits for its tasks after a core task ended.
const LAST_WORK: Duration = Duration::from_secs(2);

/// A bridge between Falafel and the broker.
#[derive(Debug)]
pub struct Bridge {
    state: Arc<BridgeState>,
    backlogs: Vec<(Topic, mpsc::Receiver<JobRecord>)>,
    lease_thread: LeaseThreadEnd,
    stop: CancellationToken,
}

impl Bridge {
    /// Makes a bridge and starts its lease thread; all other work begins with
    /// [`Bridge::run`]. Fails if the operating system gives no thread.
    pub fn new(config: BridgeConfig, deps: BridgeDeps) -> io::Result<Self> {
        let stop = CancellationToken::new();
        let tasks = Tasks::new(stop.clone());
        let links = Links::new(&config.upstreams);
        let (leases, lease_thread) = LeaseKeeper::start(
            links.clone(),
            config.leases.clone(),
            tasks.failpoints().clone(),
        )?;
        let retry = Retry::new(config.timing.longest_pause, stop.clone());
        let ledger = RetryingLedger::new(deps.ledger, retry.clone());
        let compare = Arc::new(Notify::new());
        let queues = Topic::ALL.into_iter().map(|topic| {
            let (queue, backlog) = mpsc::channel(publisher::BACKLOG);
            ((topic, queue), (topic, backlog))
        });
        let (queues, backlogs) = queues.unzip();
        let state = BridgeState {
            broker: RetryingBroker::new(deps.broker, retry.clone()),
            journal: Journal::new(deps.events),
            tickets: Tickets::new(leases, links),
            callers: Locked::default(),
            caller_permits: Semaphore::new(ask::CALLERS),
            requests: Requests::new(ledger.clone(), config.inline_bytes, compare.clone()),
            verifier: deps.verifier,
            client_vks: deps.client_vks,
            looking_up: Locked::default(),
            queues,
            publishing: Locked::default(),
            checking: Locked::default(),
            checks: Semaphore::new(unverified::CHECKS),
            member: Locked::default(),
            closed: stop.child_token(),
            config,
            ledger,
            retry,
            tasks,
            compare,
        };
        Ok(Self {
            state: Arc::new(state),
            backlogs,
            lease_thread,
            stop,
        })
    }

    /// Returns a handle for operators and views.
    pub fn handle(&self) -> BridgeHandle {
        BridgeHandle {
            state: self.state.clone(),
        }
    }

    /// Runs the bridge until `shutdown` is cancelled. Open tickets and jobs stay in
    /// the ledger, where another bridge or the next start takes them over.
    ///
    /// `Err`: a core task ended too early. The bridge then stops as on `shutdown`, and
    /// the process must end with this error as its last line.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), CoreTaskEnded> {
        let (stop, bridge) = (self.stop.clone(), self.state.clone());
        let forward = tokio::spawn({
            let stop = stop.clone();
            async move {
                shutdown.cancelled().await;
                stop.cancel();
            }
        });
        // `Err`: the bridge stops already.
        let _ = self.start().await;
        stop.cancelled().await;
        match bridge.tasks.outcome() {
            Ok(()) => bridge.tasks.wait().await,
            // A task that hangs must not keep the process.
            Err(_) => drop(timeout(LAST_WORK, bridge.tasks.wait()).await),
        }
        // The tickets are pinged until other bridges may adopt them.
        membership::leave(&bridge).await;
        bridge.tickets.close_all();
        forward.abort();
        bridge.tasks.outcome()
    }

    /// Starts the core tasks, which run as long as the bridge.
    async fn start(self) -> Result<(), Stopped> {
        let (bridge, tasks) = (&self.state, &self.state.tasks);
        let (retry, lease_thread) = (bridge.retry.clone(), self.lease_thread);
        tasks.core(LeaseKeeper::THREAD, async move {
            if let Ok(Ok(panic)) = retry.unless_stopped(lease_thread).await {
                resume_unwind(panic);
            }
        });
        for (topic, backlog) in self.backlogs {
            let pump = publisher::run(bridge.clone(), backlog);
            tasks.core(format!("pump {}", topic.name()), pump);
        }
        let mut tickets = membership::join(bridge).await?;
        tasks.core("membership", membership::run(bridge.clone()));
        tickets.extend(membership::adopt(bridge).await?);
        if !tickets.is_empty() {
            tracing::info!(
                count = tickets.len(),
                "the bridge pings the open tickets of the previous run again"
            );
        }
        tasks.core("delivery", delivery::run(bridge.clone()));
        tasks.core("reconcile", reconcile::run(bridge.clone()));
        tasks.core("sample", sample::run(bridge.clone()));
        for link in bridge.tickets.links.iter() {
            let name = &link.upstream.name;
            let restarted = tickets.iter().any(|ticket| ticket.upstream == *name);
            let amnesia = Amnesia {
                bridge: bridge.clone(),
                link: link.clone(),
            };
            tasks.core(format!("amnesia {name}"), amnesia.run(restarted));
            let poller = poller::run(bridge.clone(), link.clone());
            tasks.core(format!("poller {name}"), poller);
        }
        Ok(())
    }
}
