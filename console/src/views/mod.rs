//! The JSON of the console's API: the page draws it and the command line prints it. Ids are hexadecimal, times milliseconds since the Unix epoch.

mod jobs;
mod rollups;
mod stock;

use serde::{Deserialize, Serialize};

pub use jobs::{AttemptLine, DeadLetterView, JobDetail, JobLine, JobList, TicketLine};
pub use rollups::{RollupView, RunBar, StageView};
pub use stock::{AuditEntry, KeyView, QueueView, SlotView};

/// A list, and when it was read, by the server's clock.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Listed<T> {
    /// The server's clock.
    pub now_ms: u64,
    /// The items.
    pub items: Vec<T>,
}

/// The bridge's state, for every page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BridgeStatus {
    /// The server's clock.
    pub now_ms: u64,
    /// The bridge's name.
    pub bridge: String,
    /// The release that it runs.
    pub version: String,
    /// Whether the bridge has an operator's token; without one the console is
    /// read-only.
    pub can_act: bool,
    /// Tickets that are pinged now.
    pub open_tickets: usize,
    /// Slots that reported in the last ten seconds.
    pub slots: usize,
    /// Jobs in the dead letters.
    pub dead: usize,
    /// What is wrong now.
    pub banners: Vec<Banner>,
}

/// Something that is wrong now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Banner {
    /// `alarm` or `warning`.
    pub level: String,
    /// One sentence.
    pub text: String,
    /// What to do about it, as one sentence.
    pub way_out: String,
    /// The section of the runbook that says more.
    pub runbook: String,
}
