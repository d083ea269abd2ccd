//! Falafel's coordinator: the jobs of a rollup, in their order.
//!
//! A pipeline proves claims first, all at once; then all inner rollups at
//! once; then the root rollup; then the root verifier, whose reply is checked
//! field by field and proof by proof; then the world settles and the next
//! pipeline begins. The pipeline retries nothing, has no time limits, and one
//! rejected job halts it for good: the original behaves like this, and the cluster
//! must work with it.

mod asked;
mod check;
mod reception;
mod rollup;

use std::sync::{Arc, Mutex};

use tokio::{
    sync::{broadcast, watch},
    task::spawn_blocking,
};
use zkwhirl_circuits::Suite;
use zkwhirl_job::{Sizes, reply::NotVerified};

pub use check::{FieldsOnly, ReplyCheck};
use reception::Reception;

use crate::{
    FalafelEvent, JobServers,
    job_server::Rejected,
    locked::locked,
    users::{ClientProofs, TxError, TxPool},
    world::World,
};

/// The rollups to make.
#[derive(Debug, Clone)]
pub struct RollupPlan {
    /// The hashes of the world.
    pub suite: Suite,
    /// Equal seeds make equal requests.
    pub seed: u64,
    /// Transactions per inner rollup, inner rollups per rollup.
    pub sizes: Sizes,
    /// Defi deposits of the genesis: claims of the first pipeline.
    pub genesis_claims: usize,
    /// The most claims that a pipeline proves; the original's limit is the
    /// number of transactions of a rollup.
    pub max_claims: usize,
    /// Transactions of a rollup, claims included.
    pub txs: usize,
    /// Number of rollups; `None`: without end.
    pub rollups: Option<u32>,
    /// Whether to ask for the two verification keys at the start, as the original
    /// does. No transaction is accepted before both have arrived; claims do not
    /// wait.
    pub vks: bool,
}

/// The state of the pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PipelineState {
    /// The pipeline waits for proofs or makes requests.
    Running,
    /// One job was rejected, or a reply was refused. Only an interrupt or a
    /// restart begins again; only a restart when a verification key was
    /// rejected, because the original's process exits then.
    Halted(String),
    /// All rollups of the plan are settled.
    Done,
}

/// The results of the pipeline up to now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PipelineProgress {
    /// Rollups that are settled.
    pub settled: u32,
    /// Accepted replies.
    pub verified: u64,
    /// The reasons of refused replies and final buffers.
    pub refused: Vec<String>,
    /// The workers' texts for rejected jobs.
    pub rejected: Vec<String>,
}

/// Why a job has no accepted reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// There is no reply.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// The reply was not accepted.
    #[error("the reply is refused: {0}")]
    Refused(NotVerified),
    /// A user's transaction was not accepted.
    #[error(transparent)]
    Clients(#[from] TxError),
    /// The asking process has exited, as the original does without its
    /// verification keys.
    #[error("the process has exited: {0}")]
    Exited(String),
}

/// The coordinator. It outlives the tasks that run it, as the original's
/// database outlives its processes.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) plan: RollupPlan,
    parts: Arc<FalafelParts>,
    world: Mutex<Arc<World>>,
    pool: Arc<TxPool>,
    reception: watch::Sender<Reception>,
    pub(crate) progress: Mutex<PipelineProgress>,
    pub(crate) state: watch::Sender<PipelineState>,
}

/// What the pipeline and single requests work with.
#[derive(Debug)]
pub(crate) struct FalafelParts {
    pub(crate) servers: JobServers,
    pub(crate) check: Arc<dyn ReplyCheck>,
    pub(crate) clients: Arc<dyn ClientProofs>,
    pub(crate) events: broadcast::Sender<FalafelEvent>,
}

impl FalafelParts {
    pub(crate) fn emit(&self, event: FalafelEvent) {
        // Without a listener there is no one to tell.
        let _ = self.events.send(event);
    }
}

impl Pipeline {
    pub(crate) fn new(plan: RollupPlan, world: World, parts: Arc<FalafelParts>) -> Self {
        Self {
            plan,
            parts,
            world: Mutex::new(Arc::new(world)),
            pool: Arc::default(),
            reception: watch::Sender::new(Reception::Closed),
            progress: Mutex::default(),
            state: watch::Sender::new(PipelineState::Running),
        }
    }

    /// Runs until the plan is done or a job is rejected.
    pub(crate) async fn run(self: Arc<Self>) {
        let ended = tokio::select! {
            ended = self.rollups() => ended,
            exit = self.exit() => Err(exit),
        };
        let state = match ended {
            Ok(()) => PipelineState::Done,
            Err(error) => {
                let reason = error.to_string();
                self.parts.emit(FalafelEvent::PipelineHalted {
                    rollup_id: self.world().next_rollup(),
                    reason: reason.clone(),
                });
                PipelineState::Halted(reason)
            }
        };
        self.state.send_replace(state);
    }

    async fn rollups(&self) -> Result<(), JobError> {
        let more = |done| self.plan.rollups.is_none_or(|rollups| done < rollups);
        while more(locked(&self.progress).settled) {
            self.rollup().await?;
        }
        Ok(())
    }

    pub(crate) fn world(&self) -> Arc<World> {
        Arc::clone(&locked(&self.world))
    }
}

/// Runs work on a blocking thread: building worlds and checking proofs take
/// seconds of arithmetic.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(work)
        .await
        .expect("blocking work is not cancelled, and its panics are bugs")
}
