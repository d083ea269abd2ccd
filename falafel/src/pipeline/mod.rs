//! Falafel's coordinator: asks for the jobs of a rollup in their order.
//!
//! A pipeline proves all claims at once; then all inner rollups at once; then
//! the root rollup; then the root verifier, whose reply is checked field by
//! field and proof by proof. Then the world settles the rollup, and the next
//! pipeline begins. The pipeline retries nothing and has no time limits, and
//! one rejected job halts it for good. The original behaves like this, and the
//! cluster must work with it.

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
    /// The suite of hashes that the world uses.
    pub suite: Suite,
    /// The seed of the requests; equal seeds give equal requests.
    pub seed: u64,
    /// Transactions per inner rollup, and inner rollups per rollup.
    pub sizes: Sizes,
    /// Number of defi deposits in the genesis, which are claimed in the first pipeline.
    pub genesis_claims: usize,
    /// The maximum of claims in a pipeline. The original's limit is the number
    /// of transactions of a rollup.
    pub max_claims: usize,
    /// Number of transactions of a rollup, claims included.
    pub txs: usize,
    /// Number of rollups; `None`: unlimited.
    pub rollups: Option<u32>,
    /// Whether to ask for the two verification keys at the start, as the
    /// original does. No transaction is accepted before both keys have arrived;
    /// claims do not wait for the keys.
    pub vks: bool,
}

/// The state of the pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PipelineState {
    /// The pipeline waits for proofs or builds requests.
    Running,
    /// A job was rejected, or a reply was refused. An interrupt or a restart
    /// begins the pipeline again; after a rejected verification key only a
    /// restart does, because the original's process has exited.
    Halted(String),
    /// All rollups of the plan are settled.
    Done,
}

/// The results of the pipeline so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PipelineProgress {
    /// Number of settled rollups.
    pub settled: u32,
    /// Number of accepted replies.
    pub verified: u64,
    /// Why replies and final buffers were refused.
    pub refused: Vec<String>,
    /// The workers' texts for rejected jobs.
    pub rejected: Vec<String>,
}

/// Why a job has no accepted reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// A worker rejected the job, or its answer was lost.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// The reply failed a check.
    #[error("the reply was refused: {0}")]
    Refused(NotVerified),
    /// A user's transaction was not accepted.
    #[error(transparent)]
    Clients(#[from] TxError),
    /// The process has exited, because a verification key is missing. The
    /// original exits likewise.
    #[error("Falafel has exited: {0}")]
    Exited(String),
}

/// The coordinator. It outlives its tasks, as the original's database outlives
/// its processes.
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

/// The parts that the pipeline and single requests use.
#[derive(Debug)]
pub(crate) struct FalafelParts {
    pub(crate) servers: JobServers,
    pub(crate) check: Arc<dyn ReplyCheck>,
    pub(crate) clients: Arc<dyn ClientProofs>,
    pub(crate) events: broadcast::Sender<FalafelEvent>,
}

impl FalafelParts {
    pub(crate) fn emit(&self, event: FalafelEvent) {
        // Without a subscriber the event is dropped.
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

    /// Runs until the plan is done or the pipeline halts.
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

/// Runs `work` on a blocking thread: building worlds and checking proofs take
/// seconds of arithmetic.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(work)
        .await
        .expect("blocking work is not cancelled, and its panics are bugs")
}
