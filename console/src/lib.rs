//! The console: what a person sees of a bridge and its fleet, and what an
//! operator does about it.
//!
//! ```text
//! GET  /console                       the page; its assets are in this binary
//! GET  /console/api/status            the bridge's state, and what is wrong now
//! GET  /console/api/{rollups,jobs,jobs/ID,workers,dead,keys,queues,audit}
//! GET  /console/api/events            server-sent events: something changed
//! GET  /console/api/dead/ID/request   a dead job's request, for an operator
//! POST /console/api/actions           replay, reject, cancel, quiet, loud, drain
//! ```
//! All views come from the ledger and the broker, so each bridge of a fleet shows
//! the same. The history of jobs is a [`zkwhirl_ledger::model::FleetModel`] in
//! memory, fed by this process's events or by the ledger's stream.
//! **Invariants:** reading changes nothing; an action needs the operator's token,
//! is bounded, and is in the audit log before it is done; only
//! `dead/ID/request` answers with a request's bytes.

mod act;
mod audit;
mod console;
mod follow;
mod page;
mod read;
mod refusal;
mod rollups;
mod routes;
mod state;
mod status;
mod stream;
pub mod views;

pub use act::{ActionOutcome, ActionRequest, MAX_TARGETS, OperatorAction};
pub use console::{ConsoleConfig, LocalKeys, start};
