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

/// How often the busy time, CPU time and memory of the slots are added up.
const EVERY: Duration = Duration::from_secs(1);

/// The counts that all slots of a worker share.
#[derive(Debug, Default)]
pub(crate) struct SlotMetrics {
    /// Slots that have a job, by topic.
    busy: [AtomicUsize; 2],
    meters: Mutex<Vec<Meter>>,
}

/// One slot in the metrics, until this value is dropped.
#[derive(Debug)]
pub(crate) struct SlotGauge {
    topics: Vec<Topic>,
    activity: SlotActivity,
    /// The topic of the slot's job.
    busy: Option<Topic>,
    shared: Arc<SlotMetrics>,
}

impl SlotMetrics {
    /// Adds a slot to the metrics, without a job.
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

    /// Adds up the time and memory of the provers, for as long as it is polled.
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
                // Less CPU time than before: the prover is a new process.
                cpu += now.checked_sub(*used).unwrap_or(now);
                *used = now;
            }
            process::CPU.of(["provers"]).increment(whole(&mut cpu));
            process::RESIDENT.set(["provers"], resident as f64);
        }
    }
}

/// Takes the whole seconds out of `sum`: counters count whole numbers.
fn whole(sum: &mut Duration) -> u64 {
    let seconds = sum.as_secs();
    *sum -= Duration::from_secs(seconds);
    seconds
}

impl SlotGauge {
    /// Sets the slot's activity, and the topic of its job if it has one.
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

/// Counts an attempt that ended, with its time, peak memory and lost work.
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

/// The name of a failure's class in metrics.
pub(crate) fn class_name(class: FailureClass) -> &'static str {
    match class {
        FailureClass::Invalid => "invalid",
        FailureClass::Prover => "prover",
        FailureClass::Infrastructure => "infrastructure",
        FailureClass::Interrupted => "interrupted",
    }
}

/// How long the phases of one run of a prover take, added up over its proofs.
#[derive(Debug)]
pub(crate) struct PhaseTimes {
    now: Phase,
    since: Instant,
    spent: [Duration; 4],
}

const PHASES: [Phase; 4] = [Phase::Key, Phase::Witness, Phase::Prove, Phase::Verify];

impl PhaseTimes {
    /// Begins a run. Until the prover reports a phase, the phase is `Phase::Key`.
    pub(crate) fn begin() -> Self {
        Self {
            now: Phase::Key,
            since: Instant::now(),
            spent: [Duration::ZERO; 4],
        }
    }

    /// Ends the current phase and begins `next`.
    pub(crate) fn set(&mut self, next: Phase) {
        let place = PHASES.iter().position(|phase| *phase == self.now);
        if let Some(place) = place {
            self.spent[place] += self.since.elapsed();
        }
        (self.now, self.since) = (next, Instant::now());
    }

    /// Records the phases of a run that gave a proof.
    pub(crate) fn record(mut self, topic: Topic) {
        self.set(self.now);
        for (phase, spent) in PHASES.iter().zip(self.spent) {
            metric::PHASE.record([topic.name(), phase.name()], spent);
        }
    }
}
