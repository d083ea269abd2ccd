//! Follows a run: events into the model, the model onto the screen.

use std::time::Duration;

use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{MissedTickBehavior, interval},
};
use zkwhirl::cluster::{Cluster, slot_name};
use zkwhirl_broker_adapter::JobEvent;
use zkwhirl_falafel::{Falafel, FalafelEvent};

use super::{End, model::Model, view::View};
use crate::{cli::DemoArgs, ui};

/// The screen is redrawn this often; an eye sees no difference to more.
const FRAME: Duration = Duration::from_millis(100);

/// The model of a run, and where it is shown.
#[derive(Debug)]
pub(super) struct Watcher {
    model: Model,
    inners: usize,
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
        Self {
            model: Model::new((1..=workers).map(slot_name).collect()),
            inners: inners as usize,
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
                event = self.falafel.recv() => self.on_falafel(event),
                event = self.jobs.recv() => self.on_job(event),
                _ = frames.tick() => {
                    self.draw(falafel, cluster);
                    if self.model.only_parked_jobs_are_left() {
                        return End::Parked;
                    }
                }
            }
        }
    }

    /// Takes in what has happened but was not seen yet, shows it, and takes the
    /// screen away.
    pub(super) fn close(mut self, falafel: &Falafel, cluster: &Cluster) -> Model {
        while let Ok(event) = self.falafel.try_recv() {
            self.on_falafel(Ok(event));
        }
        while let Ok(event) = self.jobs.try_recv() {
            self.on_job(Ok(event));
        }
        self.draw(falafel, cluster);
        if let Some(view) = self.view.take() {
            view.close();
        }
        self.model
    }

    fn on_falafel(&mut self, event: Result<FalafelEvent, RecvError>) {
        if let Ok(event) = event
            && let Some(line) = self.model.falafel(&event, self.inners)
        {
            self.say(&line, true);
        }
    }

    fn on_job(&mut self, event: Result<JobEvent, RecvError>) {
        if let Ok(event) = event
            && let Some(line) = self.model.job(&event)
        {
            self.say(&line, Model::is_trouble(&event));
        }
    }

    /// Without a terminal every event is a line; on one only those stay that
    /// the screen does not show.
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
            let counted = falafel.stats();
            let stats = cluster.bridge().stats();
            view.draw(&self.model, &stats, counted.reissues, counted.nacks);
        }
    }
}
