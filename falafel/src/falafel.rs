//! The handle of a running simulated Falafel.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use tokio::{sync::broadcast, task::spawn_blocking};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    FalafelEvent, JobServers, Listen,
    job_server::{ACK_TIMEOUT, Stats},
    locked::locked,
    pipeline::{
        FalafelParts, JobError, Pipeline, PipelineProgress, PipelineState, ReplyCheck, RollupPlan,
    },
    users::{ClientProofs, MockProofs},
    world::World,
};

/// How many events a slow subscriber may be behind before it misses events.
const EVENTS: usize = 4096;

/// The configuration of a simulated Falafel.
#[derive(Debug, Clone)]
pub struct FalafelConfig {
    /// The addresses of the job servers.
    pub listen: Listen,
    /// How long a lease lasts without a ping; the real Falafel uses [`ACK_TIMEOUT`].
    pub ack_timeout: Duration,
    /// The rollups to make. `None`: Falafel asks only for the requests of
    /// [`Falafel::prove`].
    pub plan: Option<RollupPlan>,
    /// The verifier of replies and final buffers.
    pub check: Arc<dyn ReplyCheck>,
    /// The prover and the verifier of users' transactions.
    pub clients: Arc<dyn ClientProofs>,
    /// The channel of events; subscribe before the start to receive every event.
    pub events: broadcast::Sender<FalafelEvent>,
}

impl FalafelConfig {
    /// A configuration with the original's lease, job servers on free loopback
    /// ports, and users whose proofs are marks that prove nothing.
    pub fn new(plan: Option<RollupPlan>, check: Arc<dyn ReplyCheck>) -> Self {
        Self {
            listen: Listen::anywhere(),
            ack_timeout: ACK_TIMEOUT,
            plan,
            check,
            clients: Arc::new(MockProofs),
            events: broadcast::Sender::new(EVENTS),
        }
    }
}

/// A running Falafel. Dropping the handle stops all tasks at once.
#[derive(Debug)]
pub struct Falafel {
    parts: Arc<FalafelParts>,
    pipeline: Option<Arc<Pipeline>>,
    tasks: Mutex<PipelineTasks>,
}

/// The tasks of one process of the pipeline.
#[derive(Debug, Default)]
struct PipelineTasks {
    rollups: Option<AbortOnDropHandle<()>>,
    /// The task that asks for the verification keys, once for each process.
    receiver: Option<AbortOnDropHandle<()>>,
}

impl Falafel {
    /// Binds the job servers, makes the genesis, and begins the first pipeline.
    pub async fn start(config: FalafelConfig) -> io::Result<Self> {
        let (lease, events) = (config.ack_timeout, config.events.clone());
        let parts = Arc::new(FalafelParts {
            servers: JobServers::bind(config.listen, lease, events).await?,
            check: config.check,
            clients: config.clients,
            events: config.events,
        });
        let pipeline = match config.plan {
            Some(plan) => {
                let (suite, seed, claims) = (plan.suite, plan.seed, plan.genesis_claims);
                let world = spawn_blocking(move || World::genesis(suite, seed, claims)).await?;
                let pipeline = Pipeline::new(plan, world, Arc::clone(&parts));
                Some(Arc::new(pipeline))
            }
            None => None,
        };
        let falafel = Self {
            parts,
            pipeline,
            tasks: Mutex::default(),
        };
        falafel.begin_process();
        Ok(falafel)
    }

    /// The address of the server of inner jobs; in normal mode of all jobs.
    pub fn inner_address(&self) -> SocketAddr {
        self.parts.servers.inner().address()
    }

    /// The address of the server of outer jobs; `None` in normal mode.
    pub fn outer_address(&self) -> Option<SocketAddr> {
        self.parts.servers.outer().map(|server| server.address())
    }

    /// The job servers, for creating further jobs.
    pub fn servers(&self) -> &JobServers {
        &self.parts.servers
    }

    /// Subscribes to the events; the receiver gets only later events.
    pub fn events(&self) -> broadcast::Receiver<FalafelEvent> {
        self.parts.events.subscribe()
    }

    /// The counters of the job servers.
    pub fn stats(&self) -> Stats {
        self.parts.servers.stats()
    }

    /// The progress of the pipeline; empty if there is no plan.
    pub fn progress(&self) -> PipelineProgress {
        let pipeline = self.pipeline.as_ref();
        let progress = pipeline.map(|pipeline| locked(&pipeline.progress).clone());
        progress.unwrap_or_default()
    }

    /// The state of the pipeline; done if there is no plan.
    pub fn state(&self) -> PipelineState {
        let pipeline = self.pipeline.as_ref();
        let state = pipeline.map(|pipeline| pipeline.state.borrow().clone());
        state.unwrap_or(PipelineState::Done)
    }

    /// The settled world; `None` if there is no plan.
    pub fn world(&self) -> Option<Arc<World>> {
        self.pipeline.as_ref().map(|pipeline| pipeline.world())
    }

    /// Waits until the plan is done or the pipeline has halted; returns its state.
    pub async fn finished(&self) -> PipelineState {
        let Some(pipeline) = &self.pipeline else {
            return PipelineState::Done;
        };
        let mut states = pipeline.state.subscribe();
        let ended = states
            .wait_for(|state| *state != PipelineState::Running)
            .await;
        // The pipeline owns the sender, so waiting for a change cannot fail.
        ended.map_or(PipelineState::Done, |state| state.clone())
    }

    /// Asks for the proof of a request, checks the reply, and returns it.
    /// Several calls may run at once, beside the pipeline.
    pub async fn prove(&self, request: Bytes) -> Result<Bytes, JobError> {
        self.parts.prove(request).await
    }

    /// Stops the pipeline and begins it again, as the original does on every new
    /// block: all callers are rejected, all jobs stay as zombies. An interrupt
    /// before both verification keys have arrived ends the original's process.
    pub fn interrupt(&self) {
        locked(&self.tasks).rollups = None;
        if let Some(pipeline) = &self.pipeline {
            let rollup_id = pipeline.world().next_rollup();
            let interrupted = FalafelEvent::RollupInterrupted { rollup_id };
            self.parts.emit(interrupted);
        }
        self.parts.servers.interrupt();
        self.begin();
    }

    /// Kills the process and starts another after `downtime`: connections
    /// close, ticket ids are forgotten, the settled world is kept, and the
    /// unfinished rollup is made again under new ticket ids.
    pub async fn restart(&self, downtime: Duration) -> io::Result<()> {
        *locked(&self.tasks) = PipelineTasks::default();
        self.parts.servers.restart(downtime).await?;
        self.begin_process();
        Ok(())
    }

    /// Stops as on SIGTERM: the head poller of each server gets an empty body;
    /// all connections close `grace` later.
    pub async fn stop(self, grace: Duration) {
        *locked(&self.tasks) = PipelineTasks::default();
        self.parts.servers.interrupt();
        self.parts.servers.stop(grace).await;
    }

    /// Starts a new process: asks for the verification keys and begins a pipeline.
    fn begin_process(&self) {
        if let Some(pipeline) = &self.pipeline {
            pipeline.close_reception();
            if pipeline.plan.vks {
                let receiver = tokio::spawn(Arc::clone(pipeline).receive());
                locked(&self.tasks).receiver = Some(AbortOnDropHandle::new(receiver));
            }
        }
        self.begin();
    }

    fn begin(&self) {
        if let Some(pipeline) = &self.pipeline
            && *pipeline.state.borrow() != PipelineState::Done
        {
            // The state is set before the task runs, so that `finished` does
            // not see an earlier halt.
            pipeline.state.send_replace(PipelineState::Running);
            let rollups = tokio::spawn(Arc::clone(pipeline).run());
            locked(&self.tasks).rollups = Some(AbortOnDropHandle::new(rollups));
        }
    }
}
