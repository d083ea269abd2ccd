//! Jobs, from the tickets that request them to the answers.
//!
//! ```text
//! poller, intake, ask ─► dispatch ─► publisher ─► broker
//!                           │                        │ results
//!                           ▼                        ▼
//!    tickets ◄───────── answers ◄── results ◄── delivery, unverified
//! ```
//! `endings` has the ways in which a job ends without a proof, `requests` keeps the
//! requests of open jobs in memory.

mod admission;
mod answers;
pub(crate) mod ask;
mod client_vks;
pub(crate) mod delivery;
pub(crate) mod dispatch;
pub(crate) mod endings;
mod intake;
pub(crate) mod operator;
pub(crate) mod poller;
pub(crate) mod publisher;
mod requests;
mod results;
pub(crate) mod unverified;

pub use admission::Inadmissible;
pub use ask::AskError;
pub use client_vks::ClientVks;
pub use operator::OperatorError;
pub(crate) use requests::Requests;
