//! The JSON of the console's API: the page draws it and the command line prints it. Ids are hexadecimal, times milliseconds since the Unix epoch.

mod jobs;
mod rollups;
mod stock;

use serde::{Deserialize, Serialize};

pub use jobs::{AttemptLine, DeadLetterView, JobDetail, JobLine, JobList, TicketLine};
pub use rollups::{RollupView, RunBar, StageView};
pub(crate) use stock::AuditEntry;
pub use stock::{KeyView, QueueView, SlotView};

/// A list, and when it was read, by the server's clock.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Listed<T> {
    /// The server's clock.
    pub now_ms: u64,
    /// The items.
    pub items: Vec<T>,
}

/// The bridge's state, for every page.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct BridgeStatus {
    pub(crate) now_ms: u64,
    pub(crate) bridge: String,
    /// The release that it runs.
    pub(crate) version: String,
    /// Whether the bridge has an operator's token; without one the console is
    /// read-only.
    pub(crate) can_act: bool,
    /// Tickets that are pinged now.
    pub(crate) open_tickets: usize,
    /// Slots that reported in the last ten seconds.
    pub(crate) slots: usize,
    /// Jobs in the dead letters.
    pub(crate) dead: usize,
    pub(crate) banners: Vec<Banner>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Banner {
    /// `alarm` or `warning`.
    pub(crate) level: &'static str,
    /// One sentence.
    pub(crate) text: String,
    /// What to do about it, as one sentence.
    pub(crate) way_out: &'static str,
    /// The section of the runbook that says more.
    pub(crate) runbook: &'static str,
}
