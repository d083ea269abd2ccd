//! Words to all processes at once: cancel a job, quiet a worker, restart the
//! provers.
//!
//! Best effort: who is away misses them, and nothing relies on them for
//! correctness.

use std::fmt::Debug;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use zkwhirl_job::JobId;

/// What processes are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Control {
    /// Whoever proves this job stops: nobody waits for it any more.
    Cancel {
        /// The job.
        job: JobId,
    },
    /// A worker claims no more, or claims again.
    Quiet {
        /// The worker's name, or that of all slots `name/…`.
        worker: String,
        /// True: no more claims.
        quiet: bool,
    },
    /// A worker finishes what it has and leaves.
    Drain {
        /// The worker's name, or that of all slots `name/…`.
        worker: String,
    },
    /// Every prover starts afresh. What it proves is handed back and proved
    /// again: no attempt is counted.
    Restart,
}

/// What one process is told.
#[async_trait]
pub trait ControlConsumer: Send + Debug {
    /// Waits for the next word, however often the connection is lost. Cancel
    /// safe.
    async fn next(&mut self) -> Control;
}

/// Nobody says anything.
#[derive(Debug)]
pub(super) struct Silence;

#[async_trait]
impl ControlConsumer for Silence {
    async fn next(&mut self) -> Control {
        std::future::pending().await
    }
}
