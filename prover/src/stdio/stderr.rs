//! Reads a child's standard error and keeps its end.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    sync::{mpsc, watch},
};
use zkwhirl_job::Failure;

use super::notice::{Notice, StderrLine};
use crate::{Progress, meter::ProverProcess};

/// How many bytes of log lines are kept for the record of a failed attempt.
const TAIL_BYTES: usize = 4096;
/// The length limit of a line in bytes. A longer line becomes several lines.
const LINE_BYTES: usize = 8192;

/// The end of a child's log lines, and its notices.
#[derive(Debug)]
pub(super) struct Stderr {
    tail: Arc<Mutex<VecDeque<u8>>>,
    pub(super) progress: watch::Receiver<Progress>,
    /// The child's reasons for empty replies.
    pub(super) failures: mpsc::Receiver<Failure>,
}

impl Stderr {
    /// Starts a task that reads `source` to its end: a child with a full pipe blocks.
    ///
    /// Logs log lines, records samples, stores the names of loaded keys in `process`.
    pub(super) fn drain(
        source: impl AsyncRead + Unpin + Send + 'static,
        prover: &str,
        pid: u32,
        process: Arc<ProverProcess>,
    ) -> Self {
        let tail = Arc::new(Mutex::new(VecDeque::new()));
        let (progress, progress_seen) = watch::channel(Progress::START);
        let (failures, failures_seen) = mpsc::channel(8);
        let reader = StderrReader {
            prover: prover.to_owned(),
            pid,
            process,
            tail: Arc::clone(&tail),
            progress,
            failures,
        };
        tokio::spawn(reader.drain(source));
        Self {
            tail,
            progress: progress_seen,
            failures: failures_seen,
        }
    }

    /// The last [`TAIL_BYTES`] bytes of the child's log lines.
    pub(super) fn tail(&self) -> String {
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let (front, back) = tail.as_slices();
        String::from_utf8_lossy(&[front, back].concat()).into_owned()
    }

    /// Waits until standard error was read to its end: until the last process that
    /// holds the pipe has ended.
    pub(super) async fn ended(&self) {
        let mut progress = self.progress.clone();
        while progress.changed().await.is_ok() {}
    }

    /// Drops reasons that belong to earlier requests.
    pub(super) fn forget_failures(&mut self) {
        while self.failures.try_recv().is_ok() {}
    }
}

/// The task that reads a child's standard error.
struct StderrReader {
    prover: String,
    pid: u32,
    process: Arc<ProverProcess>,
    tail: Arc<Mutex<VecDeque<u8>>>,
    progress: watch::Sender<Progress>,
    failures: mpsc::Sender<Failure>,
}

impl StderrReader {
    async fn drain(self, mut source: impl AsyncRead + Unpin) {
        let mut chunk = vec![0; LINE_BYTES];
        let mut line = Vec::new();
        while let Ok(read @ 1..) = source.read(&mut chunk).await {
            for byte in &chunk[..read] {
                if *byte != b'\n' && line.len() < LINE_BYTES {
                    line.push(*byte);
                    continue;
                }
                self.take_line(&line);
                line.clear();
                if *byte != b'\n' {
                    line.push(*byte);
                }
            }
        }
        if !line.is_empty() {
            self.take_line(&line);
        }
    }

    fn take_line(&self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let (prover, pid) = (&self.prover, self.pid);
        match StderrLine::read(text.trim_end()) {
            StderrLine::Notice(Notice::Progress(now)) => {
                self.progress.send_replace(now);
            }
            StderrLine::Notice(Notice::Failure(failure)) => {
                // The channel is full only if the child writes many reasons
                // during one request; the surplus reasons are dropped.
                let _ = self.failures.try_send(failure);
            }
            StderrLine::Notice(Notice::Key(circuit)) => self.process.loaded(pid, &circuit),
            StderrLine::Notice(Notice::Sample(sample)) => sample.record(),
            StderrLine::Unknown => {
                tracing::debug!(prover, pid, "ignored a notice of an unknown kind");
            }
            StderrLine::Log => {
                tracing::debug!(target: "zkwhirl_prover::child", prover, pid, "{}", text.trim_end());
                let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
                tail.extend(line);
                tail.push_back(b'\n');
                let surplus = tail.len().saturating_sub(TAIL_BYTES);
                tail.drain(..surplus);
            }
        }
    }
}
