//! Upper bounds of buckets. Every objective of docs/RUNBOOK.md is a bound:
//! 120 s of queue wait, 900 s of a rollup, 5 s of a lease.

/// For durations of jobs, in seconds.
pub(crate) const JOB: &[f64] = &[
    1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 180.0, 300.0, 420.0, 600.0, 900.0, 1800.0, 3600.0,
];
/// For waits in a queue, in seconds.
pub(crate) const WAIT: &[f64] = &[
    0.1, 0.5, 1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0,
];
/// For durations of rollups, in seconds.
pub(crate) const ROLLUP: &[f64] = &[
    10.0, 30.0, 60.0, 120.0, 180.0, 300.0, 420.0, 600.0, 900.0, 1200.0, 1800.0, 2700.0, 3600.0,
    7200.0,
];
/// For durations of calls over the network, in seconds.
pub(crate) const IO: &[f64] = &[
    0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
/// For durations of an attempt's phases, in seconds.
pub(crate) const PHASE: &[f64] = &[0.01, 0.1, 1.0, 5.0, 15.0, 60.0, 180.0, 600.0, 1800.0];
/// For times between two answered pings of a ticket, in seconds; Falafel allows 5.
pub(crate) const LEASE: &[f64] = &[0.25, 0.5, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0];
/// For durations whose sum matters more than their distribution, in seconds.
pub(crate) const COARSE: &[f64] = &[1.0, 15.0, 60.0, 300.0, 1800.0];
