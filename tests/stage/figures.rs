//! Measurements, which tests print and never assert. No assertion depends on a
//! clock.

use std::{collections::HashMap, fmt::Display, io::Write};

use zkwhirl_job::JobId;
use zkwhirl_ledger::LedgerEvent;

/// Prints a measurement even if the output of passing tests is hidden.
pub(crate) fn say(figure: impl Display) {
    // If the output is closed, the measurement is lost, but the test goes on.
    let _ = writeln!(std::io::stderr(), "figure: {figure}");
}

/// The jobs with an event of this name, in the order of the events.
pub(crate) fn order(events: &[LedgerEvent], what: &str) -> Vec<JobId> {
    let those = events.iter().filter(|event| event.what == what);
    those.filter_map(|event| event.job).collect()
}

/// The number of events of this name for each job.
pub(crate) fn times(events: &[LedgerEvent], what: &str) -> HashMap<JobId, u32> {
    let mut times = HashMap::new();
    for job in order(events, what) {
        *times.entry(job).or_default() += 1;
    }
    times
}

/// The number of claims beyond each job's first.
pub(crate) fn claimed_again(events: &[LedgerEvent]) -> u32 {
    times(events, "claimed").values().map(|n| n - 1).sum()
}
