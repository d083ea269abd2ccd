//! The ledger: tickets, jobs, results and attempts; and the events and the model
//! of what happens to jobs.
//!
//! A ledger may lose its last second, or everything: work is repeated then, but no
//! ticket is lost, because Falafel re-issues a ticket that no bridge pings. Only
//! the ledger changes a job's state, each change as one compare-and-set along
//! `JobState::may_become`.

#[cfg(any(test, feature = "test-util"))]
pub mod conformance;
mod embedded;
mod event_name;
pub mod events;
mod fleet;
mod ledger;
pub mod model;
mod records;
pub mod redis;
mod slots;
mod state;

pub use embedded::{EmbeddedLedger, EmbeddedLedgerConfig};
pub use event_name::EventName;
pub use events::{Events, JobEvent, JobEventKind};
pub use fleet::{Bridges, Membership};
pub(crate) use ledger::UNVERIFIED_TTL;
pub use ledger::{LISTING, Ledger, LedgerError, OPEN_TICKETS, UNVERIFIED};
pub use records::{JobRecord, LedgerEvent, Note, StoredResult, Taken, Ticket, UnverifiedReply};
pub(crate) use slots::SLOT_TTL;
pub use slots::{SLOTS, SlotActivity, SlotReport};
pub use state::JobState;
