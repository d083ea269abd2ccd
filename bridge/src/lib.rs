//! The bridge: Falafel's tickets become jobs in the broker, and their results
//! come home.
//!
//! ```text
//! poller (one per upstream) ─► intake ─► pump (one per topic) ─► broker
//!                                │                                  │ results
//! lease keeper (own thread) ◄────┤                                  ▼
//! Falafel ◄── answers (one task per ticket) ◄── delivery: verify, store, ack
//! ```
//! `tickets` are what Falafel waits for, `jobs` what is proved for them,
//! `fleet` what this bridge shares with others; imports run `fleet` → `jobs` →
//! `tickets` → `falafel`. `state` is what the loops share, `bridge` starts them,
//! `supervise` watches them.

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
