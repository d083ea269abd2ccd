//! Messages to all processes at once: cancel a job, quiet a worker, restart the
//! provers.
//!
//! Best effort: a process that is away misses them, and nothing relies on them
//! for correctness. A message that another release sends and this one does not
//! know is ignored.

use std::fmt::Debug;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use zkwhirl_job::JobId;

use crate::BrokerError;

/// A control message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Control {
    /// The worker that proves this job stops: no ticket waits for it any more.
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
    /// A worker finishes its jobs and leaves.
    Drain {
        /// The worker's name, or that of all slots `name/…`.
        worker: String,
    },
    /// Every prover starts afresh. Its job is handed back and proved again: no
    /// attempt is counted.
    Restart,
}

/// Receives the control messages for one process.
#[async_trait]
pub trait ControlConsumer: Send + Debug {
    /// Waits until control messages would reach this process.
    /// [`ControlConsumer::next`] does so too.
    async fn joined(&mut self) -> Result<(), BrokerError> {
        Ok(())
    }

    /// Waits for the next message that this release can read, however often the
    /// connection is lost. Cancel safe.
    async fn next(&mut self) -> Control;
}
