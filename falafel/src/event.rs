//! Events of the simulated Falafel, for a live view and for tests.

use zkwhirl_job::{Kind, TicketId};

/// An event in the simulated Falafel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FalafelEvent {
    /// A job was added to a server's list.
    JobCreated {
        /// Its id.
        ticket: TicketId,
        /// Its kind; `None` for data that is no request.
        kind: Option<Kind>,
    },
    /// A job was handed to a poller.
    JobIssued {
        /// Its id.
        ticket: TicketId,
        /// Whether the poller had gone away.
        ghost: bool,
    },
    /// A reply came for a job.
    JobAnswered {
        /// Its id.
        ticket: TicketId,
        /// Whether a caller still waited: the job was no zombie.
        waited: bool,
    },
    /// A job was answered with anything but a reply.
    JobRejected {
        /// Its id.
        ticket: TicketId,
    },
    /// A reply was checked.
    JobResolved {
        /// The job's id.
        ticket: TicketId,
        /// Why the reply is refused; `None`: it is accepted.
        refusal: Option<String>,
    },
    /// The pipeline of a rollup begins.
    RollupStarted {
        /// The rollup.
        rollup_id: u32,
        /// Claims to prove first.
        claims: usize,
    },
    /// Both verification keys have arrived: transactions are accepted.
    Ready,
    /// The final buffer of a rollup is verified; the world has moved on.
    RollupSettled {
        /// The rollup.
        rollup_id: u32,
        /// Its inner rollups.
        inners: usize,
        /// Its transactions, claims included.
        txs: usize,
        /// Bytes of the final buffer: broadcast data and proofs.
        final_bytes: usize,
        /// Proofs in it that were verified; none when the replies are a mock's.
        proofs: usize,
    },
    /// The pipeline was interrupted and begins the rollup again.
    RollupInterrupted {
        /// The rollup.
        rollup_id: u32,
    },
    /// The pipeline halted, as the original does on a single NACK. An interrupt or
    /// a restart begins it again.
    PipelineHalted {
        /// The rollup.
        rollup_id: u32,
        /// Why.
        reason: String,
    },
}
