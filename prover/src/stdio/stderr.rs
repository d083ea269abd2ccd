//! A child's standard error: drained always, kept in part.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    sync::{mpsc, watch},
};
use zkwhirl_job::Failure;

use super::notice::Notice;
use crate::{Progress, meter::Process};

/// Bytes of standard error that are kept for the record of a failed attempt.
const TAIL_BYTES: usize = 4096;
/// A longer line is cut into several.
const LINE_BYTES: usize = 8192;

/// The end of what a child wrote on standard error, and its notices.
#[derive(Debug)]
pub(super) struct Stderr {
    tail: Arc<Mutex<VecDeque<u8>>>,
    progress: watch::Receiver<Progress>,
    failures: mpsc::Receiver<Failure>,
}

impl Stderr {
    /// Drains `source` until it ends, whoever listens: a child that fills the
    /// pipe would stop.
    ///
    /// Lines are logged under the prover's name and process id; `process` hears
    /// of keys.
    pub(super) fn drain(
        source: impl AsyncRead + Unpin + Send + 'static,
        prover: &str,
        pid: u32,
        process: Arc<Process>,
    ) -> Self {
        let tail = Arc::new(Mutex::new(VecDeque::new()));
        let (progress, progress_seen) = watch::channel(Progress::START);
        let (failures, failures_seen) = mpsc::channel(8);
        let reader = Reader {
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

    /// The last [`TAIL_BYTES`] of log lines.
    pub(super) fn tail(&self) -> String {
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let (front, back) = tail.as_slices();
        String::from_utf8_lossy(&[front, back].concat()).into_owned()
    }

    /// Waits until everything that was written has been read: until the last
    /// process that holds the pipe has ended.
    pub(super) async fn ended(&self) {
        let mut progress = self.progress.clone();
        while progress.changed().await.is_ok() {}
    }

    /// Where the child says how far it is.
    pub(super) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// The next reason for an empty reply; `None` when the child has closed
    /// its standard error.
    pub(super) async fn failure(&mut self) -> Option<Failure> {
        self.failures.recv().await
    }

    /// Forgets reasons that belong to earlier requests.
    pub(super) fn forget_failures(&mut self) {
        while self.failures.try_recv().is_ok() {}
    }
}

/// What reads a child's standard error.
struct Reader {
    prover: String,
    pid: u32,
    process: Arc<Process>,
    tail: Arc<Mutex<VecDeque<u8>>>,
    progress: watch::Sender<Progress>,
    failures: mpsc::Sender<Failure>,
}

impl Reader {
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
        match Notice::parse(text.trim_end()) {
            Some(Notice::Progress(now)) => {
                self.progress.send_replace(now);
            }
            Some(Notice::Failure(failure)) => {
                // Nobody reads reasons while no request is under way; a full
                // channel then means a child that talks too much.
                let _ = self.failures.try_send(failure);
            }
            Some(Notice::Key(circuit)) => self.process.loaded(self.pid, &circuit),
            Some(Notice::Sample(sample)) => sample.record(),
            None => {
                let (prover, pid) = (&self.prover, self.pid);
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
