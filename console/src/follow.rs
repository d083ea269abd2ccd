//! How the console learns what happens, and tells its viewers that something
//! did.

use std::{sync::Weak, time::Duration};

use serde::Serialize;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, MissedTickBehavior, interval},
};

use super::Inner;
use zkwhirl_ledger::{
    SlotReport,
    events::{JobEvent, What},
};

/// How often ledger and slots are asked.
const LOOK: Duration = Duration::from_millis(500);
/// Viewers hear of progress no more often.
const PROGRESS: Duration = Duration::from_millis(250);
/// Events of one page.
const PAGE: usize = 1_000;
/// Jobs whose kind is looked up in one turn.
const NAMES: usize = 64;

/// What viewers are told: enough to know what to read again.
#[derive(Serialize)]
struct Change<'a> {
    what: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<String>,
}

/// Who says what happens to jobs.
enum Teller {
    Unknown,
    /// This process changes everything itself.
    Events,
    /// The ledger; read up to this cursor.
    Ledger(Option<String>),
}

/// Follows until the console is gone.
pub(super) async fn run(console: Weak<Inner>, mut events: Receiver<JobEvent>) {
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut teller = Teller::Unknown;
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
            console.read_on(&mut teller).await;
            console.look(&mut slots).await;
            continue;
        };
        // What the ledger tells is told once.
        if !matches!(teller, Teller::Ledger(_)) {
            console.chronicle().hear(&event);
        }
        let progress = matches!(event.what, What::Progress { .. });
        if !progress || told.elapsed() >= PROGRESS {
            told = Instant::now();
            console.changed(event.what.name(), Some(event.job.to_string()));
        }
    }
}

impl Inner {
    fn changed(&self, what: &str, job: Option<String>) {
        if let Ok(change) = serde_json::to_string(&Change { what, job }) {
            // Nobody looking is fine.
            let _ = self.changes.send(change.into());
        }
    }

    /// Reads what the ledger has to tell.
    async fn read_on(&self, teller: &mut Teller) {
        let ledger = self.config.bridge.ledger();
        loop {
            let cursor = match teller {
                Teller::Events => return,
                Teller::Unknown => None,
                Teller::Ledger(cursor) => cursor.clone(),
            };
            // One that is away is asked again.
            let Ok(page) = ledger.happened(cursor.as_deref(), PAGE).await else {
                return;
            };
            let Some(page) = page else {
                *teller = Teller::Events;
                return;
            };
            if matches!(teller, Teller::Unknown) {
                // What was heard so far is in the page.
                *self.chronicle() = super::Chronicle::default();
            }
            let last = page.last().map(|event| event.cursor.clone());
            for event in &page {
                self.chronicle().read(event);
            }
            if let Some(event) = page.last() {
                self.changed(&event.what, event.job.map(|job| job.to_string()));
            }
            *teller = Teller::Ledger(last.or(cursor));
            if page.len() < PAGE {
                break;
            }
        }
        self.name_jobs().await;
    }

    /// The ledger's events say no kinds. Names are given all at once: a viewer
    /// in between would see a rollup without half of its jobs.
    async fn name_jobs(&self) {
        let nameless = self.chronicle().nameless();
        let mut records = Vec::new();
        for job in nameless.into_iter().rev().take(NAMES) {
            if let Ok(Some(record)) = self.config.bridge.ledger().job(job).await {
                records.push(record);
            }
        }
        let mut chronicle = self.chronicle();
        for record in records {
            chronicle.name(record.id, record.kind, record.rollup_id);
        }
    }

    async fn look(&self, before: &mut Vec<SlotReport>) {
        let Ok(slots) = self.config.bridge.ledger().slots().await else {
            return;
        };
        for slot in &slots {
            self.chronicle().see(slot);
        }
        let calm = |slot: &SlotReport| SlotReport {
            at_ms: 0,
            resident_bytes: 0,
            ..slot.clone()
        };
        let slots: Vec<_> = slots.iter().map(calm).collect();
        if slots != *before {
            self.changed("slots", None);
            *before = slots;
        }
    }
}
