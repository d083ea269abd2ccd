//! What a test measured, for whoever reads its output. Nothing here fails on a
//! clock.

use std::{collections::HashMap, fmt::Display, io::Write};

use zkwhirl_job::JobId;
use zkwhirl_ledger::LedgerEvent;

/// Shows a figure, also where the output of tests that pass is hidden.
pub(crate) fn say(figure: impl Display) {
    // An output that is closed loses the figure, not the test.
    let _ = writeln!(std::io::stderr(), "figure: {figure}");
}

/// The jobs to which something happened, in order.
pub(crate) fn order(events: &[LedgerEvent], what: &str) -> Vec<JobId> {
    let those = events.iter().filter(|event| event.what == what);
    those.filter_map(|event| event.job).collect()
}

/// How often something happened to each job.
pub(crate) fn times(events: &[LedgerEvent], what: &str) -> HashMap<JobId, u32> {
    let mut times = HashMap::new();
    for job in order(events, what) {
        *times.entry(job).or_default() += 1;
    }
    times
}

/// How many claims there were beyond each job's first.
pub(crate) fn claimed_again(events: &[LedgerEvent]) -> u32 {
    times(events, "claimed").values().map(|n| n - 1).sum()
}
