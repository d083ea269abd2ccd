//! The demo's live screen: the rollup, each slot, Falafel.

use std::{fmt::Write, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use zkwhirl_bridge::BridgeHandle;
use zkwhirl_falafel::Falafel;
use zkwhirl_job::{Kind, clock};
use zkwhirl_ledger::model::TimeLeft;

use super::progress::{Batch, DemoProgress, DemoRollup};
use crate::ui;

/// One line a rollup and a worker, and one for Falafel; redrawn in place.
#[derive(Debug)]
pub(super) struct View {
    screen: MultiProgress,
    rollup: ProgressBar,
    workers: Vec<ProgressBar>,
    falafel: ProgressBar,
}

impl View {
    pub(super) fn new(workers: usize) -> Self {
        let screen = MultiProgress::with_draw_target(ProgressDrawTarget::stdout());
        let line = || {
            let bar = screen.add(ProgressBar::new(1));
            bar.set_style(ProgressStyle::with_template("{msg}").expect("a constant template"));
            bar
        };
        Self {
            rollup: line(),
            workers: (0..workers).map(|_| line()).collect(),
            falafel: line(),
            screen,
        }
    }

    pub(super) fn draw(&self, progress: &DemoProgress, falafel: &Falafel, bridge: &BridgeHandle) {
        let (counted, stats) = (falafel.stats(), bridge.stats());
        if let Some(rollup) = progress.rollups.last() {
            let left = bridge.rollup_left(rollup.id, progress.slots.len());
            self.rollup.set_message(rollup_line(progress, rollup, left));
        }
        for (bar, slot) in self.workers.iter().zip(&progress.slots) {
            bar.set_message(slot_line(progress, slot));
        }
        self.falafel.set_message(format!(
            "falafel   tickets {} open · worst ping gap {} of 5 s · re-issues {} · rejected {}",
            stats.open_tickets,
            ui::seconds(stats.worst_ping_gap),
            counted.reissues,
            counted.nacks,
        ));
    }

    /// A line above the screen that stays.
    pub(super) fn say(&self, line: &str) {
        let _ = self.screen.println(line);
    }

    pub(super) fn close(self) {
        let _ = self.screen.clear();
    }
}

fn rollup_line(progress: &DemoProgress, rollup: &DemoRollup, left: Option<TimeLeft>) -> String {
    let mut line = format!("rollup {:<2} ", rollup.id);
    let keys = progress.client_keys();
    if keys.started && !keys.is_done() {
        let _ = write!(line, "vk {}   ", count(&keys));
    }
    let [claims, inners, root, verifier] = progress.stages(rollup);
    let _ = write!(
        line,
        "claims {}   inner {} {}   root {}   verifier {}",
        count(&claims),
        meter(inners.done as f32 / inners.of.max(1) as f32, 10),
        count(&inners),
        alone(progress, &root, Kind::RootRollup),
        alone(progress, &verifier, Kind::RootVerifier),
    );
    line + &match (rollup.settled, left) {
        (Some((took, _)), _) => format!("   settled in {}", ui::seconds(took)),
        (None, Some(left)) => format!("   ETA {} s", left.time.as_secs().max(1)),
        (None, None) => String::new(),
    }
}

/// A stage of one job: how far its worker is, then how long it took.
fn alone(progress: &DemoProgress, batch: &Batch, kind: Kind) -> String {
    if let Some(took) = batch.took {
        return format!("✓ {}", ui::seconds(took));
    }
    let mut running = progress.running();
    match running.find(|(_, job, _)| job.kind == Some(kind)) {
        Some((_, _, run)) => {
            let phase = run.phases.last().map_or("claimed", |phase| &phase.name);
            format!("{phase} {:.0} %", run.fraction * 100.0)
        }
        None if batch.started => "waits".to_owned(),
        None => "·".to_owned(),
    }
}

fn slot_line(progress: &DemoProgress, slot: &str) -> String {
    let done = progress.proved_by(slot);
    let mut running = progress.running();
    let Some((id, job, run)) = running.find(|(_, _, run)| run.worker == slot) else {
        return format!("{slot:<9} idle{:>50} {done}", "done");
    };
    let since = Duration::from_millis(clock::now_ms().saturating_sub(run.from_ms));
    format!(
        "{slot:<9} {:<13} {}  {:<8} {} {:>3.0} %  {:>8}   done {done}",
        job.kind.map_or("job", Kind::name),
        id.short(),
        run.phases.last().map_or("claimed", |phase| &phase.name),
        meter(run.fraction, 10),
        run.fraction * 100.0,
        ui::seconds(since),
    )
}

fn count(batch: &Batch) -> String {
    let Batch { done, of, .. } = batch;
    let tick = if batch.is_done() { " ✓" } else { "" };
    format!("{done}/{of}{tick}")
}

fn meter(fraction: f32, width: usize) -> String {
    let full = (fraction.clamp(0.0, 1.0) * width as f32).round() as usize;
    format!("{}{}", "█".repeat(full), "░".repeat(width - full))
}
