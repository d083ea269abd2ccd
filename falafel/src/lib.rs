//! A simulated Falafel: job servers with the original's habits over a small
//! world state whose requests are true statements.
//!
//! The implementation is independent: it shares the request layouts of
//! `zkwhirl-job` and the native hashes of `zkwhirl-circuits` with the cluster, and
//! nothing else. It checks every reply itself: the published fields against its
//! own state, the proofs through the [`ReplyCheck`] of its configuration.
//!
//! - [`job_server`]: one HTTP job server: serial pollers, ghosts, leases,
//!   zombies, amnesia.
//! - [`users`]: users' proofs, and the receiver of transactions.
//! - [`world`]: trees, notes, deposits; claims, inner rollups, root rollups.
//! - the pipeline: claims first, then all inner rollups at once, then the root
//!   rollup, then its verifier, then the rollup is settled.
//!
//! **Invariant:** nothing in this crate retries a job or asks twice. A job that is
//! lost between Falafel and a prover stays lost, so that tests notice.

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
