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
use crate::Progress;

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
    pub(super) fn drain(source: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let tail = Arc::new(Mutex::new(VecDeque::new()));
        let (progress, progress_seen) = watch::channel(Progress::START);
        let (failures, failures_seen) = mpsc::channel(8);
        tokio::spawn(drain(source, Arc::clone(&tail), progress, failures));
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

async fn drain(
    mut source: impl AsyncRead + Unpin,
    tail: Arc<Mutex<VecDeque<u8>>>,
    progress: watch::Sender<Progress>,
    failures: mpsc::Sender<Failure>,
) {
    let mut chunk = vec![0; LINE_BYTES];
    let mut line = Vec::new();
    while let Ok(read @ 1..) = source.read(&mut chunk).await {
        for byte in &chunk[..read] {
            if *byte != b'\n' && line.len() < LINE_BYTES {
                line.push(*byte);
                continue;
            }
            take_line(&line, &tail, &progress, &failures);
            line.clear();
            if *byte != b'\n' {
                line.push(*byte);
            }
        }
    }
    if !line.is_empty() {
        take_line(&line, &tail, &progress, &failures);
    }
}

fn take_line(
    line: &[u8],
    tail: &Mutex<VecDeque<u8>>,
    progress: &watch::Sender<Progress>,
    failures: &mpsc::Sender<Failure>,
) {
    let text = String::from_utf8_lossy(line);
    match Notice::parse(text.trim_end()) {
        Some(Notice::Progress(now)) => {
            progress.send_replace(now);
        }
        Some(Notice::Failure(failure)) => {
            // Nobody reads reasons while no request is under way; a full
            // channel then means a child that talks too much.
            let _ = failures.try_send(failure);
        }
        None => {
            tracing::debug!(target: "zkwhirl_prover::child", "{}", text.trim_end());
            let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
            tail.extend(line);
            tail.push_back(b'\n');
            let surplus = tail.len().saturating_sub(TAIL_BYTES);
            tail.drain(..surplus);
        }
    }
}
