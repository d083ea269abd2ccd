//! Jobs, from the tickets that ask for them to the answers.
//!
//! ```text
//! intake, ask ─► dispatch ─► publisher ─► broker
//!                   │                        │ results
//!                   ▼                        ▼
//! tickets ◄──── answers ◄── results ◄── delivery, unverified
//! ```
//! `endings` are the ways in which a job ends without a proof, `requests` what
//! this bridge remembers of open jobs.

mod admission;
mod answers;
mod ask;
mod client_vks;
mod connect;
mod delivery;
mod dispatch;
mod endings;
mod intake;
mod operator;
mod publisher;
mod requests;
mod results;
mod unverified;

pub use admission::Inadmissible;
pub use ask::AskError;
pub(crate) use ask::Asking;
pub use client_vks::ClientVks;
pub(crate) use connect::{Jobs, JobsDeps};
pub(crate) use delivery::Delivery;
pub(crate) use intake::Intake;
pub(crate) use operator::Operator;
pub use operator::OperatorError;
pub(crate) use publisher::Backlog;
