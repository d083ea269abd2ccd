//! What a slot says about itself, for views: told to the ledger at every change,
//! twice a second at most, and every two seconds.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::sleep};
use zkwhirl_job::{clock::now_ms, envelope::JobEnvelope};
use zkwhirl_ledger::{Ledger, SlotActivity, SlotReport};
use zkwhirl_prover::{Meter, Progress};

use crate::{Slot, Stop, words::Ear};

/// Less than a fourth of what a report counts.
const EVERY: Duration = Duration::from_secs(2);
const LEAST: Duration = Duration::from_millis(500);

/// What one slot does. Clones are the same slot.
#[derive(Debug, Clone)]
pub(crate) struct Presence(Arc<watch::Sender<SlotReport>>);

impl Presence {
    /// A slot that has done nothing yet.
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

    /// The slot does something else; it has no job.
    pub(crate) fn turn(&self, doing: SlotActivity) {
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

    /// The slot has a job.
    pub(crate) fn attend(&self, job: &JobEnvelope) {
        self.0.send_modify(|report| {
            report.doing = SlotActivity::Proving;
            report.since_ms = now_ms();
            (report.job, report.kind) = (Some(job.id), Some(job.kind));
            report.attempt = job.attempt;
        });
    }

    /// The prover got on.
    pub(crate) fn progress(&self, progress: Progress) {
        self.0.send_modify(|report| {
            progress.phase.name().clone_into(&mut report.phase);
            report.fraction = progress.fraction;
        });
    }

    /// An attempt ended.
    pub(crate) fn ended(&self, proved: bool) {
        self.0.send_modify(|report| match proved {
            true => (report.done, report.failures) = (report.done + 1, 0),
            false => report.failures += 1,
        });
    }

    /// Tells the ledger for as long as it is polled. One that is away misses
    /// it.
    pub(crate) async fn tell(self, ledger: Arc<dyn Ledger>, meter: Meter, ear: Ear, stop: Stop) {
        let mut said = self.0.subscribe();
        loop {
            let mut report = said.borrow_and_update().clone();
            report.at_ms = now_ms();
            report.resident_bytes = meter.resident_bytes();
            report.memory_limit_bytes = meter.limit_bytes();
            report.keys = meter.keys();
            report.quiet = ear.is_quiet();
            report.draining = stop.is_draining();
            if let Err(error) = ledger.report(&report).await {
                tracing::debug!(slot = report.slot, "cannot tell what it does: {error}");
            }
            sleep(LEAST).await;
            tokio::select! {
                // The sender is ours: it cannot go away meanwhile.
                _ = said.changed() => {}
                () = sleep(EVERY) => {}
            }
        }
    }
}
