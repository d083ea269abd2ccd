//! The console: views of a bridge and its fleet, for everyone, and actions, for
//! operators.
//!
//! ```text
//! GET  /console                       the page; its assets are in this binary
//! GET  /console/api/status            the bridge's state and current problems
//! GET  /console/api/{rollups,jobs,jobs/ID,workers,dead,keys,queues,audit}
//! GET  /console/api/events            server-sent events, one for each change
//! GET  /console/api/dead/ID/request   a dead letter's request, for operators
//! POST /console/api/actions           replay, reject, cancel, quiet, loud, drain
//! ```
//! All views come from the ledger and the broker, so each bridge of a fleet shows
//! the same. The history of jobs is a [`zkwhirl_ledger::model::FleetModel`] in
//! memory, updated from this process's events or from the ledger's stream.
//! **Invariants:** a view changes nothing; an action needs the operator's token,
//! has bounded targets, and is in the audit log before it is done; only
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
