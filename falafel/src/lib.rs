//! A simulated Falafel: job servers with the original's habits over a small
//! world state whose requests are true statements.
//!
//! It is an implementation of its own: it shares the words of `zkwhirl-job`
//! and the native hashes of `zkwhirl-circuits` with the cluster, and nothing
//! else. It checks by itself what comes back: the published fields against
//! its own state, the proofs through a [`ReplyCheck`] and a [`FinalVerifier`]
//! that it is given.
//!
//! - [`job_server`]: one HTTP job server: serial pollers, ghosts, leases,
//!   zombies, amnesia.
//! - [`users`]: their proofs, and the door where transactions come in.
//! - [`world`]: trees, notes, deposits; claims, inner rollups, root rollups.
//! - the pipeline: claims first, then all inner rollups at once, then the root
//!   rollup, then its verifier, then the rollup is settled.
//!
//! **Invariant:** nothing here retries a job or asks twice. What is lost
//! between Falafel and a prover stays lost, so that tests notice.

mod event;
mod falafel;
pub mod job_server;
mod pipeline;
mod servers;
pub mod users;
pub mod world;

pub use event::FalafelEvent;
pub use falafel::{Falafel, FalafelConfig};
pub use pipeline::{
    FieldsOnly, FinalVerifier, JobError, PipelineProgress, PipelineState, ReplyCheck, RollupPlan,
};
pub use servers::{JobServers, Listen};
