//! The bridge: makes jobs in the broker from Falafel's tickets, and answers the
//! tickets with the results.
//!
//! ```text
//! poller (one per upstream) ─► intake ─► pump (one per topic) ─► broker
//!                                │                                  │ results
//! lease keeper (own thread) ◄────┤                                  ▼
//! Falafel ◄── answers (one task per ticket) ◄── delivery: verify, store, ack
//! ```
//! `tickets` keeps the tickets that Falafel waits for, `jobs` has the jobs for the
//! tickets, `fleet` cooperates with other bridges; imports run `fleet` → `jobs` →
//! `tickets` → `falafel`. `bridge` starts the loops, `state` is the state that the
//! loops share, `supervise` watches the loops.

pub mod api;
mod bridge;
mod config;
mod failpoint;
pub mod falafel;
mod fleet;
mod gate;
mod handle;
mod jobs;
mod journal;
mod locked;
mod retry;
mod rollups;
mod state;
mod stats;
mod supervise;
#[cfg(test)]
mod tests;
mod tickets;

pub use bridge::Bridge;
pub use config::{BridgeConfig, BridgeDeps, Timing};
pub use failpoint::Failpoints;
#[cfg(any(test, feature = "test-util"))]
pub use failpoint::Fault;
pub use gate::ReplyVerifier;
pub use handle::BridgeHandle;
pub use jobs::{AskError, ClientVks, Inadmissible, OperatorError};
pub use stats::{BridgeStats, UpstreamStats};
pub use supervise::{CoreTaskEnded, TaskEnd};
