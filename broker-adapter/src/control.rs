//! Control messages to all processes at once: cancel a job, pause a worker, restart
//! the provers.
//!
//! Best effort: a process without a connection misses the messages, and no process
//! relies on them for correctness. A message that another release sends and this
//! release does not know is ignored.

use std::fmt::Debug;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use zkwhirl_job::JobId;

use crate::BrokerError;

/// A control message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Control {
    /// The worker that proves the job stops proving: no ticket waits for the job.
    Cancel {
        /// The job's id.
        job: JobId,
    },
    /// A worker pauses (claims no more jobs) or resumes.
    Quiet {
        /// The worker's name, or that of all slots `name/…`.
        worker: String,
        /// True: pause. False: resume.
        quiet: bool,
    },
    /// A worker finishes its jobs and stops.
    Drain {
        /// The worker's name, or that of all slots `name/…`.
        worker: String,
    },
    /// Every prover restarts. Its job is requeued and proved again, and no attempt is
    /// counted.
    Restart,
}

/// Receives the control messages for one process.
#[async_trait]
pub trait ControlConsumer: Send + Debug {
    /// Waits until control messages reach this process, as [`ControlConsumer::next`]
    /// does first.
    async fn joined(&mut self) -> Result<(), BrokerError> {
        Ok(())
    }

    /// Waits for the next message that this release can read, and connects again after
    /// every loss. Cancel safe.
    async fn next(&mut self) -> Control;
}
