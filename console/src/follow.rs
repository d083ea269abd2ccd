//! Keeps the console's model up to date, and notifies viewers of changes.

use std::{sync::Weak, time::Duration};

use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, MissedTickBehavior, interval},
};
use zkwhirl_job::JobId;
use zkwhirl_ledger::{EventName, JobEvent, SlotReport, model::FleetModel};

use super::state::ConsoleState;

/// Interval between two reads of the ledger's stream and of the slots.
const READ_EVERY: Duration = Duration::from_millis(500);
/// Shortest interval between two notifications of progress to viewers.
const PROGRESS_EVERY: Duration = Duration::from_millis(250);
/// The number of events in one read of the ledger's stream, at most.
const PAGE: usize = 1_000;
/// The number of job records that one poll reads, at most.
const RECORDS: usize = 64;

/// The source of the model's events.
enum EventSource {
    /// Unknown until the ledger has answered once.
    Unknown,
    /// This process's events, because no other process changes the ledger.
    Process,
    /// The ledger's stream; the events up to this cursor were read.
    Ledger(Option<String>),
}

/// Follows the bridge until the console is dropped.
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
        // The ledger's stream also has this event.
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
    /// Notifies viewers of a change, so that they read the views again.
    fn changed(&self, what: &str, job: Option<JobId>) {
        let what = serde_json::Value::from(what);
        let change = match job {
            Some(job) => format!(r#"{{"what":{what},"job":"{job}"}}"#),
            None => format!(r#"{{"what":{what}}}"#),
        };
        // An error means that no viewer is connected.
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
            // An unreachable ledger is read again at the next tick.
            let Ok(page) = ledger.happened(cursor.as_deref(), PAGE).await else {
                return;
            };
            let Some(page) = page else {
                *source = EventSource::Process;
                return;
            };
            if matches!(source, EventSource::Unknown) {
                // The page also has the events that this process has emitted.
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

    /// Reads from the jobs' records their kind and rollup, which the stream lacks.
    /// All records enter the model together: otherwise a viewer could see a rollup
    /// with only some of its jobs.
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
        // Ignore the fields that change in every report.
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
