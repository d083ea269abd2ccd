//! The client of Falafel's job servers.
//!
//! The original server has traps which this client knows (`HEAD` swallows
//! jobs, every abandoned poll swallows one for 5–6 s, an unknown id is pinged
//! and answered with 200 like a known one, a NACK stops all rollups for good):
//! one long poll per upstream that is never given up while its connection
//! lives, leases on a thread of their own, answers sent until they are taken.

mod answer;
mod client;
mod lease;
mod upstream;

pub(crate) use answer::{Answer, Rejection};
pub(crate) use client::CONNECT;
pub use client::{Client, ClientError};
pub use lease::LeaseConfig;
pub(crate) use lease::{LeaseKeeper, LeaseOrder, LeaseThreadEnd};
pub use upstream::Upstream;
pub(crate) use upstream::{Links, Losses, UpstreamLink};
