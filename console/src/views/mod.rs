//! The JSON of the console's API: the page draws it and the command line prints it. Ids are hexadecimal, times milliseconds since the Unix epoch.

mod jobs;
mod rollups;
mod stock;

use serde::{Deserialize, Serialize};

pub use jobs::{AttemptLine, DeadLetterView, JobDetail, JobLine, JobList, TicketLine};
pub use rollups::{RollupView, RunBar, StageView};
pub(crate) use stock::AuditEntry;
pub use stock::{KeyView, QueueView, SlotView};

/// A list, with the time at which it was read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Listed<T> {
    /// The time of the answer, by the server's clock.
    pub now_ms: u64,
    /// The items.
    pub items: Vec<T>,
}

/// The bridge's state, for every page.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct BridgeStatus {
    pub(crate) now_ms: u64,
    pub(crate) bridge: String,
    /// The bridge's release.
    pub(crate) version: String,
    /// True if the bridge has an operator's token; false if the console is
    /// read-only.
    pub(crate) can_act: bool,
    /// The number of tickets that the bridge pings.
    pub(crate) open_tickets: usize,
    /// The number of slots that reported in the last ten seconds.
    pub(crate) slots: usize,
    /// The number of dead letters.
    pub(crate) dead: usize,
    pub(crate) banners: Vec<Banner>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Banner {
    /// `alarm` or `warning`.
    pub(crate) level: &'static str,
    /// The problem, as one sentence.
    pub(crate) text: String,
    /// What an operator can do, in one or two sentences.
    pub(crate) way_out: &'static str,
    /// The section of the runbook with details.
    pub(crate) runbook: &'static str,
}
