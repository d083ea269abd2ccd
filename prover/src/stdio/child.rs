//! The supervisor of one child process that uses `rollup_cli`'s protocol.
//!
//! After a late, missing, short or surplus answer, the supervisor does not use the
//! child's output again: it ends the child's whole process group, and starts a new
//! child for the next request.

use std::{path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::time::{Instant, timeout};
use zkwhirl_job::{
    Command, Failure, Kind, Sizes,
    reply::{ReplyError, ReplyShape},
};

use super::running::{ChildAnswer, RunningChild, status_text};
use crate::{Meter, ProveError, ProveTask, ProveWatch, Proved, Prover, meter::ProverProcess};

/// How long the supervisor waits, after an empty reply, for the reason on standard
/// error: the reply and the reason go through different pipes.
const REASON_GRACE: Duration = Duration::from_millis(500);

/// The time limit for the answer to a ping between two requests.
const PING_DEADLINE: Duration = Duration::from_secs(5);

/// The format of a child's replies, which the supervisor checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// barretenberg's `rollup_cli`: kind and sizes determine the exact length.
    RollupCli,
    /// `zkwhirl rollup-cli`: the published fields, then a native proof.
    Native,
}

/// How to start a child that loads everything before it answers its first
/// ping.
#[derive(Debug, Clone)]
pub struct Eager {
    /// The child's arguments.
    pub arguments: Vec<String>,
    /// The time limit from the start to the answer to the first ping.
    pub start_deadline: Duration,
}

/// How to start and stop a child.
#[derive(Debug, Clone)]
pub struct ChildConfig {
    /// The prover's name for logs and receipts.
    pub name: String,
    /// The path of the child's program.
    pub program: PathBuf,
    /// The arguments of the program.
    pub arguments: Vec<String>,
    /// Environment variables that are added to this process's environment.
    pub environment: Vec<(String, String)>,
    /// The sizes that the child was started with.
    pub sizes: Sizes,
    /// The format of the child's replies.
    pub dialect: Dialect,
    /// The time limit from the start to the answer to the first ping.
    pub start_deadline: Duration,
    /// How long the child may run after SIGTERM before it gets SIGKILL.
    pub grace: Duration,
    /// A small proof request that the child must be able to prove.
    pub self_test: Option<Bytes>,
    /// How to start a child for a root verifier that comes before any root rollup.
    /// In this order a lazy `rollup_cli` builds its root circuit for the wrong
    /// number of inner rollups and keeps it until it ends; a child that loads
    /// everything first does not. `None`: the order does not matter.
    pub verifier_first: Option<Eager>,
    /// The limit of the child's private memory, in bytes. A child that allocates
    /// more dies.
    pub memory_limit: Option<u64>,
}

/// A prover in a process of its own.
#[derive(Debug)]
pub struct ChildProver {
    config: ChildConfig,
    running: Option<RunningChild>,
    /// The child process, as meters read it.
    process: Arc<ProverProcess>,
}

impl ChildProver {
    /// A prover that starts its child at the first request.
    pub fn new(config: ChildConfig) -> Self {
        Self {
            process: Arc::new(ProverProcess::new(config.memory_limit)),
            config,
            running: None,
        }
    }

    /// The child's process id while one runs.
    pub fn pid(&self) -> Option<u32> {
        self.running.as_ref().and_then(RunningChild::pid)
    }

    /// Starts a child and waits until it answers a ping.
    async fn start(&self, eager: Option<&Eager>) -> Result<RunningChild, Failure> {
        let config = &self.config;
        let (arguments, deadline) = match eager {
            Some(eager) => (&eager.arguments, eager.start_deadline),
            None => (&config.arguments, config.start_deadline),
        };
        let mut running = RunningChild::spawn(config, arguments, &self.process)?;
        running.root_is_built = eager.is_some();
        let why = match timeout(deadline, running.ping()).await {
            Ok(Ok(())) => return Ok(running),
            Ok(Err(error)) => format!(": {error}"),
            Err(_) => format!(" within {deadline:?}"),
        };
        let end = running.end(config.grace).await;
        Err(Failure::infrastructure(format!(
            "prover {} did not answer its first ping{why}{}",
            config.name,
            running.explain(&end)
        )))
    }

    /// Returns the running child if it answers a ping, otherwise a new child.
    ///
    /// A ping shows that the pipe holds no bytes of an answer to an earlier request.
    async fn ready(&mut self, kind: Kind, watch: &ProveWatch) -> Result<RunningChild, Failure> {
        let root_first = match kind {
            Kind::RootVerifier => self.config.verifier_first.as_ref(),
            _ => None,
        };
        if let Some(mut running) = self.running.take() {
            let fit = root_first.is_none() || running.root_is_built;
            if fit && let Ok(Ok(())) = timeout(PING_DEADLINE, running.ping()).await {
                return Ok(running);
            }
            let end = running.end(self.config.grace).await;
            tracing::warn!(
                prover = self.config.name,
                "the prover child cannot take another request{}; starting a new child",
                running.explain(&end)
            );
        }
        tokio::select! {
            running = self.start(root_first) => running,
            () = watch.cancel.cancelled() => {
                Err(Failure::interrupted("the attempt was cancelled"))
            }
        }
    }

    /// Proves `task` in the child, which must not be used again after an outer `Err`.
    async fn attempt(
        &self,
        running: &mut RunningChild,
        task: &ProveTask,
        watch: &ProveWatch,
    ) -> Result<Result<Bytes, Failure>, Failure> {
        running.stderr.forget_failures();
        running.reset_peak_rss();
        running.root_is_built |= task.kind == Kind::RootRollup;
        let mut progress = running.stderr.progress.clone();
        progress.mark_unchanged();
        let answer = {
            let exchange = running.exchange(task);
            tokio::pin!(exchange);
            let deadline = tokio::time::sleep(task.deadline);
            tokio::pin!(deadline);
            loop {
                tokio::select! {
                    biased;
                    answer = &mut exchange => break answer,
                    () = watch.cancel.cancelled() => {
                        return Err(Failure::interrupted("the attempt was cancelled"));
                    }
                    () = &mut deadline => {
                        return Err(Failure::prover(format!(
                            "the prover gave no answer within {:?}",
                            task.deadline
                        )));
                    }
                    Ok(()) = progress.changed() => {
                        watch.progress.send_replace(*progress.borrow_and_update());
                    }
                }
            }
        };
        match answer {
            Ok(ChildAnswer::Reply(reply)) => {
                let checked = self.check(task.kind, &reply);
                checked.map_err(|error| Failure::prover(error.to_string()))?;
                Ok(Ok(reply))
            }
            Ok(ChildAnswer::Refused) => {
                let reason = timeout(REASON_GRACE, running.stderr.failures.recv()).await;
                let unexplained = || match task.command {
                    Command::CreateProof => {
                        Failure::invalid("the prover says that the statement is false")
                    }
                    _ => Failure::prover("the prover has no verification key for this command"),
                };
                Ok(Err(reason.ok().flatten().unwrap_or_else(unexplained)))
            }
            Err(error) => Err(Failure::prover(format!(
                "cannot read the prover's answer: {error}"
            ))),
        }
    }

    fn check(&self, kind: Kind, reply: &[u8]) -> Result<(), ReplyError> {
        let shape = ReplyShape::of(kind, self.config.sizes);
        match self.config.dialect {
            Dialect::RollupCli => shape.check(kind, reply),
            Dialect::Native if shape.fields == 0 => Ok(()),
            Dialect::Native => shape.check_native(kind, reply),
        }
    }
}

#[async_trait]
impl Prover for ChildProver {
    fn name(&self) -> &str {
        &self.config.name
    }

    async fn prove(&mut self, task: &ProveTask, watch: &ProveWatch) -> Result<Proved, ProveError> {
        let started = Instant::now();
        let plain = |failure| ProveError::plain(failure, started.elapsed());
        task.fits(self.config.sizes).map_err(plain)?;
        let mut running = self.ready(task.kind, watch).await.map_err(plain)?;
        let outcome = self.attempt(&mut running, task, watch).await;
        let peak_rss_bytes = running.peak_rss();
        let (failure, exit) = match outcome {
            Ok(Ok(reply)) => {
                self.running = Some(running);
                return Ok(Proved {
                    reply,
                    duration: started.elapsed(),
                    peak_rss_bytes,
                });
            }
            Ok(Err(failure)) => (failure, None),
            Err(failure) => {
                let exit = running.end(self.config.grace).await;
                (failure, exit.as_ref().map(status_text))
            }
        };
        let stderr_tail = running.stderr.tail();
        if exit.is_none() && running.pid().is_some() {
            self.running = Some(running);
        }
        Err(ProveError {
            failure,
            exit,
            stderr_tail,
            peak_rss_bytes,
            duration: started.elapsed(),
        })
    }

    async fn restart(&mut self) -> Result<(), Failure> {
        self.stop().await;
        self.running = Some(self.start(None).await?);
        Ok(())
    }

    async fn self_test(&mut self) -> Result<(), Failure> {
        let Some(request) = self.config.self_test.clone() else {
            return Ok(());
        };
        let kind = zkwhirl_job::identify(Command::CreateProof.code(), &request)
            .ok_or_else(|| Failure::infrastructure("the self-test is not a proof request"))?;
        let task = ProveTask {
            kind,
            command: Command::CreateProof,
            request,
            sizes: None,
            deadline: self.config.start_deadline,
        };
        self.prove(&task, &ProveWatch::unattended())
            .await
            .map(drop)
            .map_err(|error| error.failure)
    }

    fn meter(&self) -> Meter {
        Meter::of_process(self.process.clone())
    }

    async fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.end(self.config.grace).await;
        }
    }
}
