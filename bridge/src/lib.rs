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

#[path = "fleet/amnesia.rs"]
mod amnesia;
#[path = "tickets/answers.rs"]
mod answers;
pub mod api;
mod bridge;
#[path = "jobs/results.rs"]
mod coalesce;
mod config;
#[path = "journal.rs"]
mod counting;
#[path = "jobs/delivery.rs"]
mod delivery;
pub mod falafel;
#[path = "fleet/membership.rs"]
mod fleet;
#[path = "jobs/intake.rs"]
mod intake;
pub mod invariants;
#[path = "jobs/ask.rs"]
mod local;
#[path = "jobs/operator.rs"]
mod operator;
#[path = "jobs/publisher.rs"]
mod pump;
#[path = "fleet/reconcile.rs"]
mod reconcile;
#[path = "jobs/request.rs"]
mod requests;
mod rollups;
#[path = "fleet/sample.rs"]
mod sample;
#[path = "services.rs"]
mod shared;
mod stats;
#[cfg(test)]
mod tests;
#[path = "jobs/open.rs"]
mod traces;
#[path = "gate.rs"]
mod verify;
#[path = "jobs/client_vks.rs"]
mod vks;

pub use bridge::{Bridge, BridgeHandle};
pub use config::{BridgeConfig, BridgeDeps, ClientVks, ReplyVerifier, Timing};
pub use local::AskError;
pub use operator::OperatorError;
pub use rollups::Left;
pub use stats::{BridgeStats, UpstreamStats};
