//! The supervising side: one child that speaks `rollup_cli`'s protocol.
//!
//! A stream that was once in doubt is never trusted again: after a late,
//! missing, short or surplus answer the child's whole process group is ended
//! and the next request finds a fresh one.

use std::{
    io,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStdin, ChildStdout, Command as Process},
    time::{Instant, timeout},
};
use zkwhirl_job::{Command, Failure, Kind, Sizes, limits, reply::ReplyShape};

use super::{ACCOUNT_VK, JOIN_SPLIT_VK, PING, stderr::Stderr};
use crate::{ProveError, ProveTask, ProveWatch, Proved, Prover};

/// How long a reason on standard error may come after the empty reply that it
/// explains: the two travel through different pipes.
const REASON_GRACE: Duration = Duration::from_millis(500);

/// How long a child that is between two requests may take to answer a ping.
const PING_DEADLINE: Duration = Duration::from_secs(5);

/// How a child's replies are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// barretenberg's `rollup_cli`: the exact length of the kind and sizes.
    RollupCli,
    /// `zkwhirl rollup-cli`: the published fields, then a native proof.
    Native,
}

/// How to start and stop a child.
#[derive(Debug, Clone)]
pub struct ChildConfig {
    /// The prover's name for logs and receipts.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Variables for its environment.
    pub environment: Vec<(String, String)>,
    /// The sizes that the child was started with.
    pub sizes: Sizes,
    /// How its replies are checked.
    pub dialect: Dialect,
    /// How long it may take from the start to the answer to the first ping.
    pub start_deadline: Duration,
    /// How long it may take to end after SIGTERM.
    pub grace: Duration,
    /// A small request that it must be able to prove.
    pub self_test: Option<Bytes>,
}

/// A prover in a process of its own.
#[derive(Debug)]
pub struct ChildProver {
    config: ChildConfig,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    group: Pid,
    stdin: ChildStdin,
    stdout: ChildStdout,
    stderr: Stderr,
}

/// What came back for a request.
enum Answer {
    Reply(Bytes),
    /// Length 0 or not verified.
    Refused,
}

impl ChildProver {
    /// A prover that starts its child with the first request.
    pub fn new(config: ChildConfig) -> Self {
        Self {
            config,
            running: None,
        }
    }

    /// The child's process id while one runs.
    pub fn pid(&self) -> Option<u32> {
        self.running.as_ref().and_then(|running| running.child.id())
    }

    /// Starts a child and waits until it answers a ping.
    async fn start(&self) -> Result<Running, Failure> {
        let config = &self.config;
        let mut child = Process::new(&config.program)
            .args(&config.arguments)
            .envs(config.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                Failure::infrastructure(format!(
                    "cannot start prover {}: {error}",
                    config.program.display()
                ))
            })?;
        let (Some(stdin), Some(stdout), Some(stderr), Some(group)) = (
            child.stdin.take(),
            child.stdout.take(),
            child.stderr.take(),
            child.id().and_then(|id| Pid::from_raw(id as i32)),
        ) else {
            return Err(Failure::infrastructure("the prover child has no pipes"));
        };
        let mut running = Running {
            child,
            group,
            stdin,
            stdout,
            stderr: Stderr::drain(stderr),
        };
        match timeout(config.start_deadline, running.ping()).await {
            Ok(Ok(())) => Ok(running),
            Ok(Err(error)) => {
                let end = running.end(config.grace).await;
                Err(Failure::infrastructure(format!(
                    "prover {} did not answer its first ping: {error}{}",
                    config.name,
                    explain(&end, &running.stderr)
                )))
            }
            Err(_) => {
                running.end(config.grace).await;
                Err(Failure::infrastructure(format!(
                    "prover {} did not answer its first ping within {:?}{}",
                    config.name,
                    config.start_deadline,
                    explain(&None, &running.stderr)
                )))
            }
        }
    }

    /// The child that runs, if it still answers a ping with nothing before it,
    /// else a fresh one: what an earlier request left in the pipe must not
    /// become the answer to the next.
    async fn ready(&mut self, watch: &ProveWatch) -> Result<Running, Failure> {
        if let Some(mut running) = self.running.take() {
            if let Ok(Ok(())) = timeout(PING_DEADLINE, running.ping()).await {
                return Ok(running);
            }
            let end = running.end(self.config.grace).await;
            tracing::warn!(
                prover = self.config.name,
                "the prover child was not fit for another request{}",
                explain(&end, &running.stderr)
            );
        }
        tokio::select! {
            running = self.start() => running,
            () = watch.cancel.cancelled() => {
                Err(Failure::interrupted("the attempt was cancelled"))
            }
        }
    }

    /// Proves with the running child; on `Err` the child must not be used again.
    async fn attempt(
        &self,
        running: &mut Running,
        task: &ProveTask,
        watch: &ProveWatch,
    ) -> Result<Result<Bytes, Failure>, Failure> {
        running.stderr.forget_failures();
        reset_peak_rss(running.child.id());
        let mut progress = running.stderr.progress();
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
            Ok(Answer::Reply(reply)) => match self.check(task.kind, &reply) {
                Ok(()) => Ok(Ok(reply)),
                Err(reason) => Err(Failure::prover(reason)),
            },
            Ok(Answer::Refused) => {
                let reason = timeout(REASON_GRACE, running.stderr.failure()).await;
                Ok(Err(reason.ok().flatten().unwrap_or_else(|| {
                    Failure::invalid("the prover says that the statement is false")
                })))
            }
            Err(error) => Err(Failure::prover(format!(
                "the prover's answer broke off: {error}"
            ))),
        }
    }

    fn check(&self, kind: Kind, reply: &[u8]) -> Result<(), String> {
        let shape = ReplyShape::of(kind, self.config.sizes);
        match self.config.dialect {
            Dialect::RollupCli => shape.check(kind, reply).map_err(|error| error.to_string()),
            Dialect::Native if shape.fields == 0 => Ok(()),
            Dialect::Native => reply
                .get(32 * shape.fields..)
                .ok_or_else(|| {
                    format!(
                        "the reply to a {kind} job has {} bytes, its fields alone are {}",
                        reply.len(),
                        32 * shape.fields
                    )
                })
                .and_then(|proof| {
                    zkwhirl_job::reply::NativeProof::parse(proof)
                        .map(drop)
                        .map_err(|error| error.to_string())
                }),
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
        let mut running = self
            .ready(watch)
            .await
            .map_err(|failure| ProveError::plain(failure, started.elapsed()))?;
        let outcome = self.attempt(&mut running, task, watch).await;
        let peak_rss_bytes = peak_rss(running.child.id());
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
                (failure, exit.map(|status| status_text(&status)))
            }
        };
        let stderr_tail = running.stderr.tail();
        if exit.is_none() && running.child.id().is_some() {
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
        self.running = Some(self.start().await?);
        Ok(())
    }

    async fn self_test(&mut self) -> Result<(), Failure> {
        let Some(request) = self.config.self_test.clone() else {
            return Ok(());
        };
        let kind = zkwhirl_job::identify(Command::CreateProof.code(), &request)
            .ok_or_else(|| Failure::infrastructure("the self-test is no proof request"))?;
        let task = ProveTask {
            kind,
            command: Command::CreateProof,
            request,
            deadline: self.config.start_deadline,
        };
        self.prove(&task, &ProveWatch::unattended())
            .await
            .map(drop)
            .map_err(|error| error.failure)
    }

    async fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.end(self.config.grace).await;
        }
    }
}

impl Running {
    async fn ping(&mut self) -> io::Result<()> {
        self.stdin.write_all(&PING.to_be_bytes()).await?;
        self.stdin.flush().await?;
        match self.stdout.read_u8().await? {
            1 => Ok(()),
            other => Err(io::Error::other(format!("it answered {other}, not 1"))),
        }
    }

    async fn exchange(&mut self, task: &ProveTask) -> io::Result<Answer> {
        let (verified_byte, limit) = match task.command {
            Command::GetJoinSplitVk => {
                self.stdin.write_all(&JOIN_SPLIT_VK.to_be_bytes()).await?;
                (false, limits::VK_BYTES)
            }
            Command::GetAccountVk => {
                self.stdin.write_all(&ACCOUNT_VK.to_be_bytes()).await?;
                (false, limits::VK_BYTES)
            }
            _ => {
                self.stdin.write_all(&task.request).await?;
                (true, limits::REPLY_BYTES)
            }
        };
        self.stdin.flush().await?;
        let length = self.stdout.read_u32().await? as usize;
        if length > limit {
            return Err(io::Error::other(format!(
                "it announced {length} bytes, the limit is {limit}"
            )));
        }
        let mut reply = vec![0; length];
        self.stdout.read_exact(&mut reply).await?;
        let verified = if verified_byte {
            match self.stdout.read_u8().await? {
                0 => false,
                1 => true,
                other => return Err(io::Error::other(format!("its verified byte is {other}"))),
            }
        } else {
            true
        };
        Ok(if verified && !reply.is_empty() {
            Answer::Reply(reply.into())
        } else {
            Answer::Refused
        })
    }

    /// Ends the process group: SIGTERM, `grace`, SIGKILL. Returns how the child
    /// itself ended.
    async fn end(&mut self, grace: Duration) -> Option<ExitStatus> {
        if let Ok(Some(status)) = self.child.try_wait() {
            // Whatever it started may have outlived it.
            let _ = kill_process_group(self.group, Signal::KILL);
            return Some(status);
        }
        let _ = kill_process_group(self.group, Signal::TERM);
        if let Ok(status) = timeout(grace, self.child.wait()).await {
            let _ = kill_process_group(self.group, Signal::KILL);
            return status.ok();
        }
        let _ = kill_process_group(self.group, Signal::KILL);
        self.child.wait().await.ok()
    }
}

fn explain(exit: &Option<ExitStatus>, stderr: &Stderr) -> String {
    let exit = exit
        .map(|status| format!(" ({})", status_text(&status)))
        .unwrap_or_default();
    let tail = stderr.tail();
    match tail.trim_end().lines().next_back() {
        Some(line) => format!("{exit}; it said: {line}"),
        None => exit,
    }
}

fn status_text(status: &ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}

/// Peak resident memory of a process since [`reset_peak_rss`].
fn peak_rss(pid: Option<u32>) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid?)).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

/// Makes the peak start again, so that it is this job's alone (proc(5),
/// `clear_refs`). Best effort: without it the peak is the process's.
fn reset_peak_rss(pid: Option<u32>) {
    if let Some(pid) = pid {
        let _ = std::fs::write(format!("/proc/{pid}/clear_refs"), "5");
    }
}
