//! Keeps the console's model up to date, and tells viewers that something changed.

use std::{sync::Weak, time::Duration};

use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, MissedTickBehavior, interval},
};
use zkwhirl_job::JobId;
use zkwhirl_ledger::{EventName, JobEvent, SlotReport, model::FleetModel};

use super::state::ConsoleState;

/// How often the ledger's stream and the slots are read.
const READ_EVERY: Duration = Duration::from_millis(500);
/// The shortest time between two reports of progress to viewers.
const PROGRESS_EVERY: Duration = Duration::from_millis(250);
/// Events of one page.
const PAGE: usize = 1_000;
/// Jobs whose record is read in one turn.
const RECORDS: usize = 64;

/// What feeds the model.
enum EventSource {
    /// Not known before the ledger answered once.
    Unknown,
    /// This process's events: no other process changes the ledger.
    Process,
    /// The ledger's stream, read up to this cursor.
    Ledger(Option<String>),
}

/// Follows until the console is dropped.
pub(super) async fn run(console: Weak<ConsoleState>, mut events: Receiver<JobEvent>) {
    let mut ticks = interval(READ_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut source = EventSource::Unknown;
    let mut slots = Vec::new();
    let mut told = Instant::now();
    loop {
        let event = tokio::select! {
            event = events.recv() => match event {
                Ok(event) => Some(event),
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return,
            },
            _ = ticks.tick() => None,
        };
        let Some(console) = console.upgrade() else {
            return;
        };
        let Some(event) = event else {
            console.read_stream(&mut source).await;
            console.read_slots(&mut slots).await;
            continue;
        };
        // The stream has this event, too.
        if !matches!(source, EventSource::Ledger(_)) {
            console.model().apply(&event);
        }
        let progress = event.what.event() == EventName::Progress;
        if !progress || told.elapsed() >= PROGRESS_EVERY {
            told = Instant::now();
            console.changed(event.what.name(), Some(event.job));
        }
    }
}

impl ConsoleState {
    /// Tells viewers enough to know what to read again.
    fn changed(&self, what: &str, job: Option<JobId>) {
        let what = serde_json::Value::from(what);
        let change = match job {
            Some(job) => format!(r#"{{"what":{what},"job":"{job}"}}"#),
            None => format!(r#"{{"what":{what}}}"#),
        };
        // An error means that no viewer watches.
        let _ = self.changes.send(change.into());
    }

    /// Reads the new events of the ledger's stream.
    async fn read_stream(&self, source: &mut EventSource) {
        let ledger = self.config.bridge.ledger();
        loop {
            let cursor = match source {
                EventSource::Process => return,
                EventSource::Unknown => None,
                EventSource::Ledger(cursor) => cursor.clone(),
            };
            // A ledger that is away is asked again at the next tick.
            let Ok(page) = ledger.happened(cursor.as_deref(), PAGE).await else {
                return;
            };
            let Some(page) = page else {
                *source = EventSource::Process;
                return;
            };
            if matches!(source, EventSource::Unknown) {
                // The page has the events that this process emitted so far, too.
                *self.model() = FleetModel::default();
            }
            for event in &page {
                self.model().apply_stored(event);
            }
            if let Some(event) = page.last() {
                self.changed(&event.what, event.job);
            }
            let last = page.last().map(|event| event.cursor.clone());
            *source = EventSource::Ledger(last.or(cursor));
            if page.len() < PAGE {
                break;
            }
        }
        self.describe_jobs().await;
    }

    /// Reads kind and rollup of jobs from their records, which the stream lacks.
    /// All are put into the model at once: a viewer in between would see a
    /// rollup without half of its jobs.
    async fn describe_jobs(&self) {
        let undescribed = self.model().undescribed();
        let mut records = Vec::new();
        for job in undescribed.into_iter().rev().take(RECORDS) {
            if let Ok(Some(record)) = self.config.bridge.ledger().job(job).await {
                records.push(record);
            }
        }
        let mut model = self.model();
        records.iter().for_each(|record| model.describe(record));
    }

    async fn read_slots(&self, before: &mut Vec<SlotReport>) {
        let Ok(slots) = self.config.bridge.ledger().slots().await else {
            return;
        };
        for slot in &slots {
            self.model().apply_report(slot);
        }
        // Without what changes in every report.
        let steady = |slot: &SlotReport| SlotReport {
            at_ms: 0,
            resident_bytes: 0,
            ..slot.clone()
        };
        let slots: Vec<_> = slots.iter().map(steady).collect();
        if slots != *before {
            self.changed("slots", None);
            *before = slots;
        }
    }
}
