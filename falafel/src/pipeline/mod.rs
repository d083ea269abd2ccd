//! Falafel's coordinator: what is asked for, and in which order.
//!
//! A pipeline proves claims first, all at once; then all inner rollups at
//! once; then the world settles and the next pipeline begins. Nothing is
//! retried, nothing times out, and one rejected job halts the pipeline for
//! good: these are the original's habits, and the cluster has to live with
//! them. The outer jobs are not asked for yet.

mod check;

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::{
    sync::{broadcast, watch},
    task::{JoinSet, spawn_blocking},
};
use zkwhirl_circuits::Suite;
use zkwhirl_job::{
    Kind, Request, Sizes, TicketId, Word,
    reply::{ReplyError, ReplyShape},
};

pub use check::{FieldsOnly, ReplyCheck};

use crate::{
    Event, JobServers,
    job_server::{Answer, Rejected},
    world::World,
};

/// What to roll up.
#[derive(Debug, Clone)]
pub struct Plan {
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
    /// Rollups to make; `None` goes on for ever.
    pub rollups: Option<u32>,
    /// Ask for the two verification keys first, as the original does.
    pub vks: bool,
}

/// Where the pipeline is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It waits for proofs or makes requests.
    Running,
    /// One job was rejected, or a reply was refused. Only an interrupt or a
    /// restart begins again.
    Halted(String),
    /// All rollups of the plan are made.
    Done,
}

/// What the pipeline has done so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Rollups whose inner rollups were all proved.
    pub rollups: u32,
    /// Replies that were what they should be.
    pub verified: u64,
    /// Replies that were not, with the reason.
    pub refused: Vec<String>,
    /// Rejected jobs, with the worker's words.
    pub rejected: Vec<String>,
}

/// Why a job has no good reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProveError {
    /// There is no reply.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// The reply is not what it should be.
    #[error("the reply is refused: {0}")]
    Refused(String),
}

/// A job with what its reply must be.
struct Asked {
    kind: Kind,
    data: Bytes,
    request: Option<Request>,
    published: Vec<Word>,
}

/// The coordinator. It outlives the tasks that run it, as the original's
/// database outlives its processes.
#[derive(Debug)]
pub(crate) struct Pipeline {
    plan: Plan,
    servers: Arc<JobServers>,
    check: Arc<dyn ReplyCheck>,
    world: Mutex<Arc<World>>,
    pub(crate) progress: Mutex<Progress>,
    pub(crate) state: watch::Sender<State>,
    events: broadcast::Sender<Event>,
}

impl Pipeline {
    pub(crate) fn new(
        plan: Plan,
        world: World,
        servers: Arc<JobServers>,
        check: Arc<dyn ReplyCheck>,
        events: broadcast::Sender<Event>,
    ) -> Self {
        Self {
            plan,
            servers,
            check,
            world: Mutex::new(Arc::new(world)),
            progress: Mutex::default(),
            state: watch::Sender::new(State::Running),
            events,
        }
    }

    /// Runs until the plan is done or a job is rejected.
    pub(crate) async fn run(self: Arc<Self>) {
        let state = match self.rollups().await {
            Ok(()) => State::Done,
            Err(error) => {
                let reason = error.to_string();
                let _ = self.events.send(Event::PipelineHalted {
                    rollup_id: self.world().next_rollup(),
                    reason: reason.clone(),
                });
                State::Halted(reason)
            }
        };
        self.state.send_replace(state);
    }

    async fn rollups(&self) -> Result<(), ProveError> {
        if self.plan.vks {
            // One after the other, as the original's receiver does.
            for kind in [Kind::JoinSplitVk, Kind::AccountVk] {
                self.prove_all(vec![Asked::vk(kind)]).await?;
            }
        }
        let more = |done| self.plan.rollups.is_none_or(|rollups| done < rollups);
        while more(locked(&self.progress).rollups) {
            self.rollup().await?;
        }
        Ok(())
    }

    async fn rollup(&self) -> Result<(), ProveError> {
        let (world, plan) = (self.world(), self.plan.clone());
        let (mut draft, claims) = blocking(move || {
            let mut draft = world.begin(plan.sizes);
            let claims = draft.claims(plan.max_claims);
            (draft, claims)
        })
        .await;
        let rollup_id = draft.rollup_id();
        let _ = self.events.send(Event::RollupStarted {
            rollup_id,
            claims: claims.len(),
        });
        let claims = claims.into_iter().map(|job| {
            let request = Request::Claim(Box::new(job.request));
            Asked::proof(request, job.published)
        });
        let replies = self.prove_all(claims.collect()).await?;
        let txs = self.plan.txs;
        let (draft, inners) = blocking(move || {
            let inners = draft.inners(txs, &replies);
            (draft, inners)
        })
        .await;
        let inners = inners.into_iter().map(|job| {
            let request = Request::TxRollup(Box::new(job.request));
            Asked::proof(request, job.published)
        });
        let proved = self.prove_all(inners.collect()).await?;
        let done = Event::RollupDone {
            rollup_id,
            inners: proved.len(),
            txs: draft.txs(),
        };
        let world = blocking(move || draft.settle()).await;
        *locked(&self.world) = Arc::new(world);
        locked(&self.progress).rollups += 1;
        let _ = self.events.send(done);
        Ok(())
    }

    /// Asks for everything at once and waits for all; the first that fails
    /// ends the wait, and its siblings are proved for nothing.
    async fn prove_all(&self, jobs: Vec<Asked>) -> Result<Vec<Bytes>, ProveError> {
        let mut replies = vec![Bytes::new(); jobs.len()];
        let mut waiting = JoinSet::new();
        for (place, job) in jobs.into_iter().enumerate() {
            let (ticket, answer) = self.servers.create(job.kind, job.data.clone());
            let check = Arc::clone(&self.check);
            let events = self.events.clone();
            waiting.spawn(async move {
                let reply = checked(job, ticket, answer, check, &events).await;
                (place, reply)
            });
        }
        while let Some(done) = waiting.join_next().await {
            let (place, reply) = done.expect("tasks that wait for an answer do not panic");
            replies[place] = reply.inspect_err(|error| self.count(error))?;
            locked(&self.progress).verified += 1;
        }
        Ok(replies)
    }

    fn count(&self, error: &ProveError) {
        let mut progress = locked(&self.progress);
        match error {
            ProveError::Rejected(why) => progress.rejected.push(why.to_string()),
            ProveError::Refused(why) => progress.refused.push(why.clone()),
        }
    }

    pub(crate) fn world(&self) -> Arc<World> {
        Arc::clone(&locked(&self.world))
    }
}

impl Asked {
    fn vk(kind: Kind) -> Self {
        Self {
            kind,
            data: Bytes::new(),
            request: None,
            published: Vec::new(),
        }
    }

    fn proof(request: Request, published: Vec<Word>) -> Self {
        Self {
            kind: request.kind(),
            data: request.to_bytes(),
            request: Some(request),
            published,
        }
    }

    /// The world's check of the fields, then the supplied one of the proof.
    fn check(&self, reply: &Bytes, check: &dyn ReplyCheck) -> Result<(), String> {
        check::published(reply, &self.published)?;
        match &self.request {
            Some(request) => check.check(request, reply),
            None => vk_check(self.kind, reply).map_err(|error| error.to_string()),
        }
    }
}

/// Waits for an answer and checks it.
async fn checked(
    job: Asked,
    ticket: TicketId,
    answer: Answer,
    check: Arc<dyn ReplyCheck>,
    events: &broadcast::Sender<Event>,
) -> Result<Bytes, ProveError> {
    let reply = answer.await?;
    let (reply, verdict) = blocking(move || {
        let verdict = job.check(&reply, &*check);
        (reply, verdict)
    })
    .await;
    let refusal = verdict.as_ref().err().cloned();
    let _ = events.send(Event::JobResolved { ticket, refusal });
    verdict.map(|()| reply).map_err(ProveError::Refused)
}

/// Asks for the proof of any request and checks what can be checked of it.
pub(crate) async fn prove(
    servers: &JobServers,
    data: Bytes,
    check: Arc<dyn ReplyCheck>,
    events: &broadcast::Sender<Event>,
) -> Result<Bytes, ProveError> {
    let request = Request::parse(&data).ok();
    let (ticket, answer) = servers.create_proof(data.clone());
    let Some(request) = request else {
        return Ok(answer.await?);
    };
    let job = Asked {
        data,
        ..Asked::proof(request, Vec::new())
    };
    checked(job, ticket, answer, check, events).await
}

/// Any sizes do: a key's length depends on none.
fn vk_check(kind: Kind, reply: &Bytes) -> Result<(), ReplyError> {
    let sizes = Sizes::new(1, 1).expect("one is within every limit");
    ReplyShape::of(kind, sizes).check(kind, reply)
}

/// World building and proof checks are seconds of arithmetic.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(work)
        .await
        .expect("blocking work is not cancelled, and its panics are bugs")
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
