//! The bridge: Falafel's tickets become jobs in the broker, and their results
//! come home.
//!
//! ```text
//! poller (one per upstream) ─► intake ─► pump (one per topic) ─► broker
//!                                │                                  │ results
//! lease keeper (own thread) ◄────┤                                  ▼
//! Falafel ◄── answers (one task per ticket) ◄── delivery: verify, store, ack
//! ```
//! Beside them `fleet` shares the tickets with the other bridges of the ledger,
//! `reconcile` compares what ledger, broker and leases believe, and
//! `amnesia` finds out whether Falafel still knows its tickets.

mod amnesia;
mod answers;
pub mod api;
mod bridge;
mod coalesce;
mod config;
mod counting;
mod delivery;
pub mod falafel;
mod fleet;
mod intake;
pub mod invariants;
mod local;
mod operator;
mod pump;
mod reconcile;
mod requests;
mod rollups;
mod sample;
mod shared;
mod stats;
#[cfg(test)]
mod tests;
mod traces;
mod verify;
mod vks;

pub use bridge::{Bridge, BridgeHandle};
pub use config::{BridgeConfig, BridgeDeps, ClientVks, ReplyVerifier, Timing};
pub use local::AskError;
pub use operator::OperatorError;
pub use stats::{BridgeStats, UpstreamStats};
