//! Events of the simulated Falafel, for a live view and for tests.

use zkwhirl_job::{Kind, TicketId};

/// An event in the simulated Falafel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FalafelEvent {
    /// A job was added to a server's list.
    JobCreated {
        /// The job's ticket id.
        ticket: TicketId,
        /// The job's kind; `None` if the data is not a request.
        kind: Option<Kind>,
    },
    /// A job was sent to a poller.
    JobIssued {
        /// The job's ticket id.
        ticket: TicketId,
        /// Whether the poller had already disconnected (a ghost).
        ghost: bool,
    },
    /// A worker answered a job with a reply.
    JobAnswered {
        /// The job's ticket id.
        ticket: TicketId,
        /// Whether a caller still waited for the reply: false for a zombie.
        waited: bool,
    },
    /// A worker answered a job with a command other than ACK.
    JobRejected {
        /// The job's ticket id.
        ticket: TicketId,
    },
    /// A reply was checked and accepted or refused.
    JobResolved {
        /// The job's ticket id.
        ticket: TicketId,
        /// Why the reply was refused; `None` if it was accepted.
        refusal: Option<String>,
    },
    /// The pipeline of a rollup began.
    RollupStarted {
        /// The rollup's id.
        rollup_id: u32,
        /// Number of claims to prove first.
        claims: usize,
    },
    /// Both verification keys have arrived; transactions are accepted from now on.
    Ready,
    /// The final buffer of a rollup was verified, and the rollup was settled.
    RollupSettled {
        /// The rollup's id.
        rollup_id: u32,
        /// Number of its inner rollups.
        inners: usize,
        /// Number of its transactions, claims included.
        txs: usize,
        /// Bytes of the final buffer (broadcast data and proofs).
        final_bytes: usize,
        /// Number of verified proofs in the final buffer; 0 for replies of the mock prover.
        proofs: usize,
    },
    /// The pipeline was interrupted and begins the same rollup again.
    RollupInterrupted {
        /// The rollup's id.
        rollup_id: u32,
    },
    /// The pipeline halted, as the original does after a single NACK. Only an
    /// interrupt or a restart starts the pipeline again.
    PipelineHalted {
        /// The rollup's id.
        rollup_id: u32,
        /// Why the pipeline halted.
        reason: String,
    },
}
