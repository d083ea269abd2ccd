//! What the console's API says, as JSON: what the page draws and the command
//! line prints. Ids are hexadecimal, times milliseconds since the Unix epoch.

mod jobs;
mod rollups;
mod stock;

use serde::{Deserialize, Serialize};

pub use jobs::{AttemptLine, Dead, JobDetail, JobLine, Jobs, Phase, Run, Step, TicketLine};
pub use rollups::{Bar, Rollup, Stage};
pub use stock::{Deed, Key, Queue, Slot};

/// A list, and when it was read by the server's clock.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Listed<T> {
    /// The server's clock.
    pub now_ms: u64,
    /// What there is.
    pub items: Vec<T>,
}

/// How the bridge is, for every page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {
    /// The server's clock.
    pub now_ms: u64,
    /// The bridge's name.
    pub bridge: String,
    /// The release that it runs.
    pub version: String,
    /// Whether there is an operator's token: without one nobody can act.
    pub can_act: bool,
    /// Tickets that are pinged now.
    pub open_tickets: usize,
    /// Slots that said something in the last seconds.
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
