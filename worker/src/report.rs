//! Writes the reports of a slot to the ledger, for views: at every change, at most
//! twice a second, and at least every two seconds.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::sleep};
use zkwhirl_job::{clock::now_ms, envelope::JobEnvelope};
use zkwhirl_ledger::{Ledger, SlotActivity, SlotReport};
use zkwhirl_prover::{Meter, Progress};

use crate::{Slot, Stop, control::SlotControl};

/// The longest time between two reports: under a quarter of a report's lifetime.
const EVERY: Duration = Duration::from_secs(2);
const LEAST: Duration = Duration::from_millis(500);

/// The report of one slot. Clones report the same slot.
#[derive(Debug, Clone)]
pub(crate) struct SlotReporter(Arc<watch::Sender<SlotReport>>);

impl SlotReporter {
    /// Begins the report of a slot that has done nothing yet.
    pub(crate) fn new(slot: &Slot) -> Self {
        Self(Arc::new(watch::Sender::new(SlotReport {
            slot: slot.name.clone(),
            topics: slot.topics.clone(),
            prover: slot.prover.name().to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            since_ms: now_ms(),
            ..SlotReport::default()
        })))
    }

    /// Sets the activity of a slot without a job.
    pub(crate) fn set_doing(&self, doing: SlotActivity) {
        self.0.send_if_modified(|report| {
            let changed = report.doing != doing;
            if changed {
                report.since_ms = now_ms();
            }
            report.doing = doing;
            (report.job, report.kind, report.attempt) = (None, None, 0);
            report.phase.clear();
            report.fraction = 0.0;
            changed
        });
    }

    /// Sets the slot's job.
    pub(crate) fn set_job(&self, job: &JobEnvelope) {
        self.0.send_modify(|report| {
            report.doing = SlotActivity::Proving;
            report.since_ms = now_ms();
            (report.job, report.kind) = (Some(job.id), Some(job.kind));
            report.attempt = job.attempt;
        });
    }

    /// Sets the prover's progress.
    pub(crate) fn progress(&self, progress: Progress) {
        self.0.send_modify(|report| {
            progress.phase.name().clone_into(&mut report.phase);
            report.fraction = progress.fraction;
        });
    }

    /// Counts an attempt that ended.
    pub(crate) fn ended(&self, proved: bool) {
        self.0.send_modify(|report| match proved {
            true => (report.done, report.failures) = (report.done + 1, 0),
            false => report.failures += 1,
        });
    }

    /// Writes reports for as long as this future is polled. A report that cannot be
    /// written is dropped.
    pub(crate) async fn run(
        self,
        ledger: Arc<dyn Ledger>,
        meter: Meter,
        control: SlotControl,
        stop: Stop,
    ) {
        let mut changes = self.0.subscribe();
        loop {
            let mut report = changes.borrow_and_update().clone();
            report.at_ms = now_ms();
            report.resident_bytes = meter.resident_bytes();
            report.memory_limit_bytes = meter.limit_bytes();
            report.keys = meter.keys();
            report.quiet = control.is_quiet();
            report.draining = stop.is_draining();
            if let Err(error) = ledger.report(&report).await {
                tracing::debug!(
                    slot = report.slot,
                    "cannot write the slot's report: {error}"
                );
            }
            sleep(LEAST).await;
            tokio::select! {
                // The sender is in `self`: the wait cannot fail.
                _ = changes.changed() => {}
                () = sleep(EVERY) => {}
            }
        }
    }
}
