//! Who waits for what, and what has been proved.
//!
//! A ledger may lose its last second, or everything: then work is repeated,
//! but no ticket is lost, because Falafel re-issues what nobody pings. It is
//! the only place where states are changed, each change as one compare-and-set
//! along [`JobState::may_become`].

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
pub use events::{Events, JobEvent, What};
pub use fleet::{BridgeSeen, Bridges, Membership};
pub use ledger::{LISTING, Ledger, LedgerError, OPEN_TICKETS, UNVERIFIED, UNVERIFIED_TTL};
pub use records::{JobRecord, LedgerEvent, Note, StoredResult, Taken, Ticket, UnverifiedReply};
pub use slots::{Doing, SLOT_TTL, SLOTS, SlotReport};
pub use state::JobState;
