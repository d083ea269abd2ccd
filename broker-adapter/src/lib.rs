//! From Falafel to the broker and back.
//!
//! Six parts, each usable alone:
//! * [`broker`]: `trait Broker`, what a queue must do for jobs that take
//!   minutes and workers that die; [`broker::Embedded`] does it in memory.
//! * [`ledger`]: `trait Ledger`, who waits for what and what has been proved.
//! * [`falafel`]: the client of Falafel's job servers: the long poll, the
//!   leases, the delivery of answers.
//! * [`bridge`]: takes Falafel's tickets, makes jobs of them, and brings every
//!   answer home.
//! * [`api`]: Halloumi's HTTP API over a bridge.
//! * [`console`]: what a person sees of a bridge and does about it.
//!
//! **Invariants** are pure predicates in [`invariants`]. Absences: nothing here
//! proves, no reply leaves that was not verified, and a NACK frame is built in
//! one place only, on an operator's word.

pub mod api;
pub mod bridge;
pub mod broker;
mod clock;
pub mod console;
pub mod events;
pub mod falafel;
pub mod invariants;
pub mod ledger;
#[cfg(any(test, feature = "test-util"))]
pub mod testkit;

pub use bridge::{Bridge, BridgeConfig, BridgeDeps, BridgeHandle, BridgeStats, ReplyVerifier};
pub use broker::{Broker, BrokerError};
pub use events::{Events, JobEvent, What};
pub use ledger::{Ledger, LedgerError};
