//! The metrics of a worker's slots.

use std::{
    mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, MissedTickBehavior, interval};
use zkwhirl_job::{FailureClass, Topic};
use zkwhirl_ledger::SlotActivity;
use zkwhirl_prover::{Meter, Phase, ProveError, Proved};
use zkwhirl_telemetry::catalogue::{process, worker as metric};

/// How often time and memory are added up.
const EVERY: Duration = Duration::from_secs(1);

/// What the slots share.
#[derive(Debug, Default)]
pub(crate) struct SlotMetrics {
    /// Slots that have a job, by topic.
    busy: [AtomicUsize; 2],
    meters: Mutex<Vec<Meter>>,
}

/// One slot in the metrics; dropped it is in them no longer.
#[derive(Debug)]
pub(crate) struct SlotGauge {
    topics: Vec<Topic>,
    activity: SlotActivity,
    /// The topic of the slot's job.
    busy: Option<Topic>,
    shared: Arc<SlotMetrics>,
}

impl SlotMetrics {
    /// Notes a slot that does nothing yet.
    pub(crate) fn slot(self: &Arc<Self>, topics: &[Topic], meter: Meter) -> SlotGauge {
        let mut meters = self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        meters.push(meter);
        let gauge = SlotGauge {
            topics: topics.to_vec(),
            activity: SlotActivity::Waiting,
            busy: None,
            shared: self.clone(),
        };
        for topic in &gauge.topics {
            metric::CAPACITY.of([topic.name()]).increment(1.0);
        }
        gauge.add(1.0);
        gauge
    }

    /// Adds up what provers use, for as long as it is polled.
    pub(crate) async fn watch(self: Arc<Self>) {
        let meters = mem::take(&mut *self.meters.lock().unwrap_or_else(PoisonError::into_inner));
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut busy, mut before) = ([Duration::ZERO; 2], Instant::now());
        let mut used = vec![Duration::ZERO; meters.len()];
        let mut cpu = Duration::ZERO;
        loop {
            ticks.tick().await;
            let passed = before.elapsed();
            before = Instant::now();
            for topic in Topic::ALL {
                let slots = self.busy[topic as usize].load(Ordering::Relaxed) as u32;
                let sum = &mut busy[topic as usize];
                *sum += passed * slots;
                metric::BUSY.of([topic.name()]).increment(whole(sum));
            }
            let mut resident = 0;
            for (meter, used) in meters.iter().zip(&mut used) {
                resident += meter.resident_bytes();
                let now = meter.cpu_time();
                // Less than before: it is another process.
                cpu += now.checked_sub(*used).unwrap_or(now);
                *used = now;
            }
            process::CPU.of(["provers"]).increment(whole(&mut cpu));
            process::RESIDENT.set(["provers"], resident as f64);
        }
    }
}

/// The whole seconds, which leave the sum: counters count whole numbers.
fn whole(sum: &mut Duration) -> u64 {
    let seconds = sum.as_secs();
    *sum -= Duration::from_secs(seconds);
    seconds
}

impl SlotGauge {
    /// The slot does this from now on, with a job of the topic `busy` or without.
    pub(crate) fn set(&mut self, activity: SlotActivity, busy: Option<Topic>) {
        self.add(-1.0);
        (self.activity, self.busy) = (activity, busy);
        self.add(1.0);
    }

    fn add(&self, slots: f64) {
        if let Some(topic) = self.busy {
            let busy = &self.shared.busy[topic as usize];
            match slots > 0.0 {
                true => busy.fetch_add(1, Ordering::Relaxed),
                false => busy.fetch_sub(1, Ordering::Relaxed),
            };
            metric::SLOTS.of([topic.name(), "busy"]).increment(slots);
            return;
        }
        let state = match self.activity {
            SlotActivity::Starting => "loading",
            SlotActivity::Idle => "idle",
            SlotActivity::Waiting | SlotActivity::Proving | SlotActivity::Unknown => "away",
        };
        for topic in &self.topics {
            metric::SLOTS.of([topic.name(), state]).increment(slots);
        }
    }
}

impl Drop for SlotGauge {
    fn drop(&mut self) {
        self.add(-1.0);
        for topic in &self.topics {
            metric::CAPACITY.of([topic.name()]).decrement(1.0);
        }
    }
}

/// Counts how an attempt ended, and what it came to.
pub(crate) fn ended(topic: Topic, outcome: &Result<Proved, ProveError>, spent: Duration) {
    let topic = topic.name();
    let (ended, peak) = match outcome {
        Ok(proved) => ("ok", proved.peak_rss_bytes),
        Err(error) => {
            let class = class_name(error.failure.class);
            process::WASTED.record([topic, class], error.duration);
            (class, error.peak_rss_bytes)
        }
    };
    let how = match ended {
        "ok" => "ok",
        "interrupted" => "cancelled",
        _ => "error",
    };
    metric::ATTEMPTS.one([topic, ended]);
    metric::DURATION.record([topic, how], spent);
    if let Some(peak) = peak {
        metric::PEAK_MEMORY.set([topic], peak as f64);
    }
}

/// A failure's class as metrics name it.
pub(crate) fn class_name(class: FailureClass) -> &'static str {
    match class {
        FailureClass::Invalid => "invalid",
        FailureClass::Prover => "prover",
        FailureClass::Infrastructure => "infrastructure",
        FailureClass::Interrupted => "interrupted",
    }
}

/// How long the phases of one run take. Several proofs make one sum.
#[derive(Debug)]
pub(crate) struct PhaseTimes {
    now: Phase,
    since: Instant,
    spent: [Duration; 4],
}

const PHASES: [Phase; 4] = [Phase::Key, Phase::Witness, Phase::Prove, Phase::Verify];

impl PhaseTimes {
    /// A run that begins: until the prover names a phase it loads its key.
    pub(crate) fn begin() -> Self {
        Self {
            now: Phase::Key,
            since: Instant::now(),
            spent: [Duration::ZERO; 4],
        }
    }

    /// The next phase begins.
    pub(crate) fn set(&mut self, next: Phase) {
        let place = PHASES.iter().position(|phase| *phase == self.now);
        if let Some(place) = place {
            self.spent[place] += self.since.elapsed();
        }
        (self.now, self.since) = (next, Instant::now());
    }

    /// The run gave a proof.
    pub(crate) fn record(mut self, topic: Topic) {
        self.set(self.now);
        for (phase, spent) in PHASES.iter().zip(self.spent) {
            metric::PHASE.record([topic.name(), phase.name()], spent);
        }
    }
}
