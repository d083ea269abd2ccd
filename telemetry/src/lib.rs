//! Every metric of zkWhirl, declared once: name, labels, buckets, help, and the
//! roles that record it.
//!
//! A crate records through the families of [`catalogue`]; the program installs a
//! recorder and calls [`begin`] before anything is recorded. Without a recorder
//! recording does nothing. Labels have closed sets of values, so the number of
//! series is bounded. Every series exists from the start with value 0, so that a
//! rate includes the first event. Ids belong in logs and traces (see [`trace`]).

pub mod catalogue;
mod family;
mod forward;
mod label;
mod markdown;
#[cfg(feature = "test-util")]
mod recorded;
mod start;
pub mod trace;

/// Handles of single series, for callers that record often.
pub mod handle {
    pub use metrics::{Counter, Gauge, Histogram};
}

pub use family::{Counter, Family, Gauge, Histogram, Kind};
pub use forward::{Sample, forward};
pub use label::Label;
pub use markdown::markdown;
#[cfg(feature = "test-util")]
pub use recorded::Recorded;
pub use start::{Role, begin, series};
