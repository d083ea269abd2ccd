//! The composition root: makes the parts of a bridge, connects them, and runs
//! their loops.

use std::{io, sync::Arc, time::Duration};

use tokio::{sync::Notify, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    BridgeConfig, BridgeDeps, BridgeHandle, CoreTaskEnded,
    falafel::{LeaseKeeper, LeaseThreadEnd, Link, Links, Poller, Sink},
    fleet::{Amnesia, Heartbeat, Reconcile, Sampler},
    gate::Gate,
    handle::Parts,
    jobs::{Backlog, Delivery, Intake, Jobs, JobsDeps},
    journal::Journal,
    retry::{Retry, Stopped},
    retrying::{RetryingBroker, RetryingLedger},
    services::Services,
    supervise::Tasks,
    tickets::Tickets,
};

/// How long a bridge waits for its tasks after a core task ended.
const LAST_WORK: Duration = Duration::from_secs(2);

/// A bridge between Falafel and the broker.
#[derive(Debug)]
pub struct Bridge {
    parts: Arc<Parts>,
    backlogs: [Backlog; 2],
    lease_thread: LeaseThreadEnd,
    compare: Arc<Notify>,
    stop: CancellationToken,
}

impl Bridge {
    /// A bridge that does nothing before it runs, but whose lease thread is
    /// there. Fails when the operating system gives no thread.
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
        let services = Services {
            config: Arc::new(config),
            ledger: RetryingLedger::new(deps.ledger, retry.clone()),
            broker: RetryingBroker::new(deps.broker, retry.clone()),
            journal: Arc::new(Journal::new(deps.events)),
            retry,
            tasks,
        };
        let compare = Arc::new(Notify::new());
        let tickets = Arc::new(Tickets::new(leases, links));
        let heartbeat = Heartbeat::new(services.clone(), tickets.clone(), compare.clone());
        let (jobs, backlogs) = Jobs::new(JobsDeps {
            services,
            tickets,
            gate: Gate::new(deps.verifier),
            client_vks: deps.client_vks,
            compare: compare.clone(),
        });
        let parts = Parts {
            jobs,
            heartbeat: Arc::new(heartbeat),
            closed: stop.child_token(),
        };
        Ok(Self {
            parts: Arc::new(parts),
            backlogs,
            lease_thread,
            compare,
            stop,
        })
    }

    /// The handle of operators and views.
    pub fn handle(&self) -> BridgeHandle {
        BridgeHandle {
            parts: self.parts.clone(),
        }
    }

    /// Bridges until `shutdown` is cancelled. What is open then stays open in
    /// the ledger, and is taken over by another bridge that runs on it, or by
    /// the next.
    ///
    /// `Err`: a core task ended before. The bridge then stops as on `shutdown`,
    /// and the process must end with this error as its last line.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), CoreTaskEnded> {
        let (stop, parts) = (self.stop.clone(), self.parts.clone());
        let tasks = parts.jobs.services.tasks.clone();
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
        match tasks.outcome() {
            Ok(()) => tasks.wait().await,
            // A task that hangs must not keep the process.
            Err(_) => drop(timeout(LAST_WORK, tasks.wait()).await),
        }
        // Pinged until others may ping.
        parts.heartbeat.leave().await;
        parts.jobs.tickets.close_all();
        forward.abort();
        tasks.outcome()
    }

    /// Starts the core tasks: all that runs as long as the bridge does.
    async fn start(self) -> Result<(), Stopped> {
        let Parts {
            jobs, heartbeat, ..
        } = &*self.parts;
        let (services, tasks) = (&jobs.services, &jobs.services.tasks);
        let (retry, lease_thread) = (services.retry.clone(), self.lease_thread);
        tasks.core(LeaseKeeper::THREAD, async move {
            retry.unless_stopped(lease_thread.ended()).await
        });
        for backlog in self.backlogs {
            let name = format!("pump {}", backlog.topic.name());
            tasks.core(name, jobs.publisher.clone().run(backlog));
        }
        let mut tickets = heartbeat.join().await?;
        if services.ledger.once().fleet().is_some() {
            tasks.core("membership", heartbeat.clone().run());
        }
        tickets.extend(heartbeat.adopt().await?);
        if !tickets.is_empty() {
            tracing::info!(
                count = tickets.len(),
                "open tickets of the previous run are pinged again"
            );
        }
        let (jobs, heartbeat) = (|| jobs.clone(), || heartbeat.clone());
        tasks.core("delivery", Delivery { jobs: jobs() }.run());
        let reconcile = Reconcile {
            jobs: jobs(),
            heartbeat: heartbeat(),
        };
        tasks.core("reconcile", reconcile.run(self.compare));
        let sampler = Sampler {
            jobs: jobs(),
            heartbeat: heartbeat(),
        };
        tasks.core("sample", sampler.run());
        let intake: Arc<dyn Sink> = Arc::new(Intake { jobs: jobs() });
        for link in self.parts.jobs.tickets.links().iter() {
            let name = &link.upstream.name;
            let restarted = tickets.iter().any(|ticket| ticket.upstream == *name);
            watch_upstream(&self.parts, link, &intake, restarted);
        }
        Ok(())
    }
}

/// Starts the core tasks of one upstream.
fn watch_upstream(parts: &Parts, link: &Arc<Link>, intake: &Arc<dyn Sink>, restarted: bool) {
    let (services, name) = (&parts.jobs.services, &link.upstream.name);
    let amnesia = Amnesia {
        jobs: parts.jobs.clone(),
        heartbeat: parts.heartbeat.clone(),
        link: link.clone(),
    };
    let amnesia = amnesia.run(restarted);
    services.tasks.core(format!("amnesia {name}"), amnesia);
    let poller = Poller {
        link: link.clone(),
        sink: intake.clone(),
        longest: services.config.timing.longest_pause,
    };
    let (closed, retry) = (parts.closed.clone(), services.retry.clone());
    services.tasks.core(format!("poller {name}"), async move {
        poller.run(closed.clone()).await;
        if closed.is_cancelled() {
            // A bridge that takes nothing new goes on without its pollers.
            let _ = retry.unless_stopped(std::future::pending::<()>()).await;
        }
    });
}
