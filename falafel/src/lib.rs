//! A simulated Falafel: job servers that behave as the original's, over a small
//! world state whose requests are true statements.
//!
//! The implementation is independent: it shares only the request layouts of
//! `zkwhirl-job` and the native hashes of `zkwhirl-circuits` with the cluster.
//! It checks every reply: the published fields against its own state, the
//! proofs through the [`ReplyCheck`] of its configuration.
//!
//! - [`job_server`]: one HTTP job server: serial pollers, leases, ghost pollers,
//!   zombie jobs.
//! - [`users`]: users' proofs, and the receiver of transactions.
//! - [`world`]: trees, notes, deposits; claims, inner rollups, root rollups.
//! - the pipeline: claims first, then all inner rollups at once, then the root
//!   rollup, then its verifier, then the rollup is settled.
//!
//! **Invariant:** this crate never retries a job or asks for it twice. A job that
//! is lost between Falafel and a prover stays lost, so that tests notice the loss.

mod event;
mod falafel;
pub mod job_server;
mod locked;
mod pipeline;
mod servers;
pub mod users;
pub mod world;

pub use event::FalafelEvent;
pub use falafel::{Falafel, FalafelConfig};
pub use pipeline::{FieldsOnly, JobError, PipelineProgress, PipelineState, ReplyCheck, RollupPlan};
pub use servers::{JobServers, Listen};
