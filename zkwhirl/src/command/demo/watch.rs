//! Follows a run: applies events to the progress, and draws the progress on a
//! live screen with the rollup, each slot and Falafel.

use std::{fmt::Write, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::{
    sync::broadcast::Receiver,
    time::{MissedTickBehavior, interval},
};
use zkwhirl::cluster::{Cluster, slot_name};
use zkwhirl_bridge::BridgeHandle;
use zkwhirl_falafel::{Falafel, FalafelEvent};
use zkwhirl_job::{Kind, clock};
use zkwhirl_ledger::{EventName, JobEvent, model::TimeLeft};

use super::{
    End,
    progress::{DemoProgress, DemoRollup, JobBatch},
};
use crate::{cli::DemoArgs, ui};

/// Interval between two redraws; the eye sees no difference with a shorter one.
const FRAME: Duration = Duration::from_millis(100);

/// The progress of a run, and its live screen.
#[derive(Debug)]
pub(super) struct Watcher {
    progress: DemoProgress,
    quiet: bool,
    view: Option<LiveScreen>,
    jobs: Receiver<JobEvent>,
    falafel: Receiver<FalafelEvent>,
}

impl Watcher {
    pub(super) fn new(
        args: &DemoArgs,
        inners: u32,
        jobs: Receiver<JobEvent>,
        falafel: Receiver<FalafelEvent>,
    ) -> Self {
        let workers = usize::from(args.workers);
        let slots = (1..=workers).map(slot_name).collect();
        Self {
            progress: DemoProgress::new(slots, inners as usize),
            quiet: args.json,
            view: (ui::terminal() && !args.json).then(|| LiveScreen::new(workers)),
            jobs,
            falafel,
        }
    }

    /// Follows the run until all remaining jobs are dead letters.
    pub(super) async fn until_stuck(&mut self, falafel: &Falafel, cluster: &Cluster) -> End {
        let mut frames = interval(FRAME);
        frames.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                Ok(event) = self.falafel.recv() => self.on_falafel(&event),
                Ok(event) = self.jobs.recv() => self.on_job(&event),
                _ = frames.tick() => {
                    self.draw(falafel, cluster);
                    if self.progress.only_parked_jobs_are_left() {
                        return End::Parked;
                    }
                }
            }
        }
    }

    /// Applies and shows the events that are still in the channels, clears the
    /// screen, and returns the progress.
    pub(super) fn close(mut self, falafel: &Falafel, cluster: &Cluster) -> DemoProgress {
        while let Ok(event) = self.falafel.try_recv() {
            self.on_falafel(&event);
        }
        while let Ok(event) = self.jobs.try_recv() {
            self.on_job(&event);
        }
        self.draw(falafel, cluster);
        if let Some(view) = self.view.take() {
            view.close();
        }
        self.progress
    }

    fn on_falafel(&mut self, event: &FalafelEvent) {
        if let Some(line) = self.progress.on_falafel(event) {
            self.say(&line, true);
        }
    }

    fn on_job(&mut self, event: &JobEvent) {
        if let Some(line) = self.progress.on_job(event) {
            let trouble = [EventName::Retrying, EventName::Dead];
            self.say(&line, trouble.contains(&event.what.event()));
        }
    }

    /// Prints every line without a terminal; on a terminal only `lasting` lines,
    /// whose content the screen does not show.
    fn say(&self, line: &str, lasting: bool) {
        match &self.view {
            _ if self.quiet => {}
            Some(view) if lasting => view.say(line),
            Some(_) => {}
            None => ui::say(line),
        }
    }

    fn draw(&self, falafel: &Falafel, cluster: &Cluster) {
        if let Some(view) = &self.view {
            view.draw(&self.progress, falafel, &cluster.bridge);
        }
    }
}

/// One line per rollup, per worker, and for Falafel, redrawn in place.
#[derive(Debug)]
struct LiveScreen {
    screen: MultiProgress,
    rollup: ProgressBar,
    workers: Vec<ProgressBar>,
    falafel: ProgressBar,
}

impl LiveScreen {
    fn new(workers: usize) -> Self {
        let screen = MultiProgress::with_draw_target(ProgressDrawTarget::stdout());
        let line = || {
            let bar = screen.add(ProgressBar::new(1));
            bar.set_style(ProgressStyle::with_template("{msg}").expect("the template is valid"));
            bar
        };
        Self {
            rollup: line(),
            workers: (0..workers).map(|_| line()).collect(),
            falafel: line(),
            screen,
        }
    }

    fn draw(&self, progress: &DemoProgress, falafel: &Falafel, bridge: &BridgeHandle) {
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

    /// Prints a line above the screen; the line stays.
    fn say(&self, line: &str) {
        let _ = self.screen.println(line);
    }

    fn close(self) {
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

/// A stage of one job: the worker's phase and percentage, at last the duration.
fn alone(progress: &DemoProgress, batch: &JobBatch, kind: Kind) -> String {
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

fn count(batch: &JobBatch) -> String {
    let JobBatch { done, of, .. } = batch;
    let tick = if batch.is_done() { " ✓" } else { "" };
    format!("{done}/{of}{tick}")
}

fn meter(fraction: f32, width: usize) -> String {
    let full = (fraction.clamp(0.0, 1.0) * width as f32).round() as usize;
    format!("{}{}", "█".repeat(full), "░".repeat(width - full))
}
