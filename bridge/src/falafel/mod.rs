//! The client of Falafel's job servers.
//!
//! The original server has traps: `HEAD` loses jobs, every abandoned poll loses a job
//! for 5–6 s, pings and answers with an unknown id get 200 like those with a known id,
//! and a NACK stops all rollups for good. So this client has one long poll per upstream,
//! which it never drops while the connection lives, pings on a thread of their own, and
//! answers that are sent until Falafel has taken them.

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
