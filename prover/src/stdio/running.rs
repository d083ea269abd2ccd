//! A running child process with its pipes and its process group.

use std::{
    io,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process_group, prlimit};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStdin, ChildStdout, Command as Program},
    time::timeout,
};
use zkwhirl_job::{Command, Failure, limits};

use super::{ACCOUNT_VK, ChildConfig, JOIN_SPLIT_VK, PING, stderr::Stderr};
use crate::{
    ProveTask,
    meter::{ProverProcess, status_bytes},
};

/// The longest wait for the end of standard error after a child has ended. The wait
/// needs a limit because a process that the child started may hold the pipe open.
const STDERR_END: Duration = Duration::from_secs(1);

/// A child with its pipes.
#[derive(Debug)]
pub(super) struct RunningChild {
    child: Child,
    group: Pid,
    stdin: ChildStdin,
    stdout: ChildStdout,
    pub(super) stderr: Stderr,
    /// Whether a `rollup_cli` has built its root circuit, or is building it for
    /// the current request.
    pub(super) root_is_built: bool,
}

pub(super) enum ChildAnswer {
    Reply(Bytes),
    /// The reply has length 0 or is marked as not verified.
    Refused,
}

impl RunningChild {
    /// Starts a child in a process group of its own, and makes `process`, which
    /// meters read, stand for this child.
    pub(super) fn spawn(
        config: &ChildConfig,
        arguments: &[String],
        process: &Arc<ProverProcess>,
    ) -> Result<Self, Failure> {
        let mut child = Program::new(&config.program)
            .args(arguments)
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
        if let Some(bytes) = config.memory_limit {
            limit_memory(group, bytes)?;
        }
        // Notices are counted only for the process that `process` stands for.
        let pid = group.as_raw_nonzero().get().unsigned_abs();
        process.begin(pid);
        Ok(Self {
            child,
            group,
            stdin,
            stdout,
            stderr: Stderr::drain(stderr, &config.name, pid, process.clone()),
            root_is_built: false,
        })
    }

    /// The process id; `None` after the supervisor has seen the process end.
    pub(super) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// How the child ended and its last log line, as the end of an error message.
    pub(super) fn explain(&self, exit: &Option<ExitStatus>) -> String {
        let exit = exit
            .map(|status| format!(" ({})", status_text(&status)))
            .unwrap_or_default();
        match self.stderr.tail().trim_end().lines().next_back() {
            Some(line) => format!("{exit}; its last log line: {line}"),
            None => exit,
        }
    }

    /// Peak resident memory in bytes since [`Self::reset_peak_rss`].
    pub(super) fn peak_rss(&self) -> Option<u64> {
        status_bytes(self.pid()?, "VmHWM:")
    }

    /// Resets the peak of resident memory, so that the next peak is that of one job
    /// (proc(5), `clear_refs`). If the reset fails, the peak is the whole process's.
    pub(super) fn reset_peak_rss(&self) {
        if let Some(pid) = self.pid() {
            let _ = std::fs::write(format!("/proc/{pid}/clear_refs"), "5");
        }
    }

    pub(super) async fn ping(&mut self) -> io::Result<()> {
        self.stdin.write_all(&PING.to_be_bytes()).await?;
        self.stdin.flush().await?;
        match self.stdout.read_u8().await? {
            1 => Ok(()),
            other => Err(io::Error::other(format!("it answered {other}, not 1"))),
        }
    }

    pub(super) async fn exchange(&mut self, task: &ProveTask) -> io::Result<ChildAnswer> {
        let (join_split, account) = (JOIN_SPLIT_VK.to_be_bytes(), ACCOUNT_VK.to_be_bytes());
        let (request, verified_byte, limit) = match task.command {
            Command::GetJoinSplitVk => (&join_split[..], false, limits::VK_BYTES),
            Command::GetAccountVk => (&account[..], false, limits::VK_BYTES),
            _ => (&task.request[..], true, limits::REPLY_BYTES),
        };
        self.stdin.write_all(request).await?;
        self.stdin.flush().await?;
        let length = self.stdout.read_u32().await? as usize;
        if length > limit {
            return Err(io::Error::other(format!(
                "it announced {length} bytes, the limit is {limit}"
            )));
        }
        let mut reply = vec![0; length];
        self.stdout.read_exact(&mut reply).await?;
        let verified = match verified_byte {
            true => self.stdout.read_u8().await?,
            false => 1,
        };
        match verified {
            1 if !reply.is_empty() => Ok(ChildAnswer::Reply(reply.into())),
            0 | 1 => Ok(ChildAnswer::Refused),
            other => Err(io::Error::other(format!("its verified byte is {other}"))),
        }
    }

    /// Ends the process group: SIGTERM, `grace`, SIGKILL. Then reads the rest of
    /// the child's standard error and returns how the child ended.
    pub(super) async fn end(&mut self, grace: Duration) -> Option<ExitStatus> {
        let status = match self.child.try_wait() {
            Ok(Some(status)) => Some(status),
            _ => self.terminate(grace).await,
        };
        // Processes that the child started may still run.
        let _ = kill_process_group(self.group, Signal::KILL);
        let _ = timeout(STDERR_END, self.stderr.ended()).await;
        status
    }

    async fn terminate(&mut self, grace: Duration) -> Option<ExitStatus> {
        let _ = kill_process_group(self.group, Signal::TERM);
        if let Ok(status) = timeout(grace, self.child.wait()).await {
            return status.ok();
        }
        let _ = kill_process_group(self.group, Signal::KILL);
        self.child.wait().await.ok()
    }
}

/// Limits the private memory of a process; mapped key files do not count
/// (setrlimit(2), `RLIMIT_DATA`).
fn limit_memory(process: Pid, bytes: u64) -> Result<(), Failure> {
    let limit = Rlimit {
        current: Some(bytes),
        maximum: Some(bytes),
    };
    prlimit(Some(process), Resource::Data, limit)
        .map(drop)
        .map_err(|error| {
            Failure::infrastructure(format!(
                "cannot limit a prover's memory to {bytes} bytes: {error}"
            ))
        })
}

pub(super) fn status_text(status: &ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}
