//! The demo's live screen: what happens, who does it, how long still.

use std::{fmt::Write, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;
use zkwhirl_bridge::BridgeStats;
use zkwhirl_job::Kind;

use super::{
    model::{Model, Worker, percentile},
    rollup::{Rollup, Step},
};
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
    /// An empty screen for `workers`.
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

    /// Draws the run as it is now.
    pub(super) fn draw(&self, model: &Model, stats: &BridgeStats, reissues: u64, nacks: u64) {
        if let Some(rollup) = model.rollups.last() {
            self.rollup.set_message(rollup_line(model, rollup));
        }
        for (bar, worker) in self.workers.iter().zip(&model.workers) {
            bar.set_message(worker_line(worker));
        }
        self.falafel.set_message(format!(
            "falafel   tickets {} open · worst ping gap {} of 5 s · re-issues {reissues} · rejected {nacks}",
            stats.open_tickets,
            ui::seconds(stats.worst_ping_gap),
        ));
    }

    /// A line above the screen that stays.
    pub(super) fn say(&self, line: &str) {
        let _ = self.screen.println(line);
    }

    /// Takes the screen away.
    pub(super) fn close(self) {
        let _ = self.screen.clear();
    }
}

fn rollup_line(model: &Model, rollup: &Rollup) -> String {
    let mut line = format!("rollup {:<2} ", rollup.id);
    if model.vks.has_started() && !model.vks.is_done() {
        let _ = write!(line, "vk {}   ", count(&model.vks));
    }
    let inners = &rollup.inners;
    let _ = write!(
        line,
        "claims {}   inner {} {}   root {}   verifier {}",
        count(&rollup.claims),
        meter(inners.done as f32 / inners.of.max(1) as f32, 10),
        count(inners),
        alone(model, &rollup.root, Kind::RootRollup),
        alone(model, &rollup.verifier, Kind::RootVerifier),
    );
    match (rollup.settled, eta(model, rollup)) {
        (Some(settled), _) => {
            let _ = write!(line, "   settled in {}", ui::seconds(settled.took));
        }
        (None, Some(eta)) => {
            let _ = write!(line, "   ETA {} s", eta.as_secs().max(1));
        }
        (None, None) => {}
    }
    line
}

/// A step of one job: how far its worker is, then how long it took.
fn alone(model: &Model, step: &Step, kind: Kind) -> String {
    if let Some(took) = step.took() {
        return format!("✓ {}", ui::seconds(took));
    }
    let worker = model.workers.iter().find(|worker| worker.proves(kind));
    match worker {
        Some(worker) => format!("{} {:.0} %", worker.phase, worker.fraction * 100.0),
        None if step.has_started() => "waits".to_owned(),
        None => "·".to_owned(),
    }
}

fn worker_line(worker: &Worker) -> String {
    let Some((id, kind)) = worker.job else {
        return format!("{:<9} idle{:>50} {}", worker.name, "done", worker.done);
    };
    let since = worker.since.map(|since| ui::seconds(since.elapsed()));
    format!(
        "{:<9} {:<13} {}  {:<8} {} {:>3.0} %  {:>8}   done {}",
        worker.name,
        kind.map_or("job", Kind::name),
        id.short(),
        worker.phase,
        meter(worker.fraction, 10),
        worker.fraction * 100.0,
        since.unwrap_or_default(),
        worker.done
    )
}

/// How long the rest should take, from the proofs of each kind so far, or from
/// how far the first ones are.
fn eta(model: &Model, rollup: &Rollup) -> Option<Duration> {
    let each = |kind| {
        percentile(&model.prove_times(&[kind]), 50).or_else(|| {
            let running = model.workers.iter();
            let running = running.filter(|worker| worker.proves(kind) && worker.fraction > 0.1);
            running
                .filter_map(|worker| Some(worker.since?.elapsed().div_f32(worker.fraction)))
                .max()
        })
    };
    let workers = model.workers.len().max(1) as u32;
    let left = |kind, step: &Step| {
        if step.is_done() {
            return Some(Duration::ZERO);
        }
        Some(each(kind)? * u32::try_from(step.left()).ok()?.div_ceil(workers))
    };
    let inner = left(Kind::Claim, &rollup.claims)? + left(Kind::TxRollup, &rollup.inners)?;
    // Nobody knows how long the first outer jobs take; they are few and short.
    let outer = [
        left(Kind::RootRollup, &rollup.root),
        left(Kind::RootVerifier, &rollup.verifier),
    ];
    let outer: Duration = outer.into_iter().flatten().sum();
    // What the busy workers have done already of their jobs.
    let done = model
        .workers
        .iter()
        .filter(|worker| worker.job.is_some())
        .filter_map(|worker| worker.since)
        .map(|since| Instant::now() - since)
        .min()
        .unwrap_or_default();
    Some((inner + outer).saturating_sub(done))
}

fn count(step: &Step) -> String {
    let Step { done, of, .. } = step;
    format!("{done}/{of}{}", if step.is_done() { " ✓" } else { "" })
}

fn meter(fraction: f32, width: usize) -> String {
    let full = (fraction.clamp(0.0, 1.0) * width as f32).round() as usize;
    format!("{}{}", "█".repeat(full), "░".repeat(width - full))
}
