//! The demo's live screen: what happens, who does it, how long still.

use std::{fmt::Write, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;
use zkwhirl_broker_adapter::bridge::BridgeStats;
use zkwhirl_job::Kind;

use super::model::{Model, Rollup, Worker, percentile};
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
    let mut line = format!(
        "rollup {:<2} claims {}",
        rollup.id,
        count(rollup.claims_done, rollup.claims)
    );
    let _ = write!(
        line,
        "   inner {} {}",
        meter(rollup.inners_done as f32 / rollup.inners.max(1) as f32, 14),
        count(rollup.inners_done, rollup.inners)
    );
    match (rollup.settled, eta(model, rollup)) {
        (Some(settled), _) => {
            let _ = write!(
                line,
                "   settled in {}",
                ui::seconds(settled - rollup.started)
            );
        }
        (None, Some(eta)) => {
            let _ = write!(line, "   ETA {} s", eta.as_secs().max(1));
        }
        (None, None) => {}
    }
    line
}

fn worker_line(worker: &Worker) -> String {
    let Some((id, kind)) = worker.job else {
        return format!("{:<9} idle{:>46} {}", worker.name, "done", worker.done);
    };
    let since = worker.since.map(|since| ui::seconds(since.elapsed()));
    format!(
        "{:<9} {:<9} {}  {:<8} {} {:>3.0} %  {:>8}   done {}",
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
        percentile(&model.prove_times(Some(kind)), 50).or_else(|| {
            let running = model.workers.iter().filter(|worker| {
                worker.job.is_some_and(|(_, of)| of == Some(kind)) && worker.fraction > 0.1
            });
            running
                .filter_map(|worker| Some(worker.since?.elapsed().div_f32(worker.fraction)))
                .max()
        })
    };
    let workers = model.workers.len().max(1) as u32;
    let left = |kind, left: usize| {
        if left == 0 {
            return Some(Duration::ZERO);
        }
        Some(each(kind)? * u32::try_from(left).ok()?.div_ceil(workers))
    };
    let claims = left(
        Kind::Claim,
        rollup.claims.saturating_sub(rollup.claims_done),
    )?;
    let inners = left(
        Kind::TxRollup,
        rollup.inners.saturating_sub(rollup.inners_done),
    )?;
    // What the busy workers have done already of their jobs.
    let done = model
        .workers
        .iter()
        .filter(|worker| worker.job.is_some())
        .filter_map(|worker| worker.since)
        .map(|since| Instant::now() - since)
        .min()
        .unwrap_or_default();
    Some((claims + inners).saturating_sub(done))
}

fn count(done: usize, of: usize) -> String {
    format!("{done}/{of}{}", if done == of { " ✓" } else { "" })
}

fn meter(fraction: f32, width: usize) -> String {
    let full = (fraction.clamp(0.0, 1.0) * width as f32).round() as usize;
    format!("{}{}", "█".repeat(full), "░".repeat(width - full))
}
