//! Follows a run: events into the progress, the progress onto the screen.

use std::time::Duration;

use tokio::{
    sync::broadcast::Receiver,
    time::{MissedTickBehavior, interval},
};
use zkwhirl::cluster::{Cluster, slot_name};
use zkwhirl_falafel::{Falafel, FalafelEvent};
use zkwhirl_ledger::{EventName, JobEvent};

use super::{End, progress::DemoProgress, view::View};
use crate::{cli::DemoArgs, ui};

/// The screen is redrawn this often; an eye sees no difference to more.
const FRAME: Duration = Duration::from_millis(100);

/// The progress of a run, and where it is shown.
#[derive(Debug)]
pub(super) struct Watcher {
    progress: DemoProgress,
    quiet: bool,
    view: Option<View>,
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
            view: (ui::terminal() && !args.json).then(|| View::new(workers)),
            jobs,
            falafel,
        }
    }

    /// Follows the run until what is left of it is parked.
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

    /// Takes in the events that are still in the channels, shows them, and clears
    /// the screen.
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

    /// Without a terminal every event is a line; on a terminal only the `lasting`
    /// ones, which the screen does not show.
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
