//! The console: what a person sees of a bridge and its fleet, and what an
//! operator does about it.
//!
//! ```text
//! GET  /console                       the page; its assets are in this binary
//! GET  /console/api/status            how the bridge is, and what is wrong now
//! GET  /console/api/{rollups,jobs,jobs/ID,workers,dead,keys,queues,audit}
//! GET  /console/api/events            server-sent events: something changed
//! GET  /console/api/dead/ID/request   a dead job's request, for an operator
//! POST /console/api/actions           replay, reject, cancel, quiet, loud, drain
//! ```
//! Everything is read from the ledger and the broker, so any bridge of a fleet
//! tells the same. What happened when is remembered in memory (`chronicle.rs`):
//! from this process's events, or from the ledger's where it keeps them.
//! **Invariants:** reading changes nothing; acting needs the operator's token,
//! is bounded, and is written down before it is done; no answer holds a body of
//! a request but the one that says so.

mod act;
mod audit;
mod chronicle;
mod console;
mod follow;
mod page;
mod read;
mod rollups;
mod routes;
mod status;
mod stream;
pub mod views;

pub use act::{Act, Acted, MOST};
pub use console::{Console, ConsoleConfig, Keys};

use act::Action;
use chronicle::Chronicle;
use console::Inner;
