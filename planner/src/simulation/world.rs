//! Runs one trace through the simulated fleet.

use std::{collections::VecDeque, slice};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{
    Outcome, Sample, Setup, Signal,
    clock::{Clock, Event},
    pods::Pods,
    signal::{History, is_blind},
};
use crate::{
    Autoscaler, Observed, Trace,
    trace::{Lost, Rollup},
};

/// An inner job: a claim or an inner rollup.
#[derive(Debug)]
struct InnerJob {
    takes: u64,
    since: u64,
    begun: bool,
}

/// The first phase whose jobs are outer jobs.
const OUTER: usize = 2;

pub(super) struct SimulatedFleet<'a> {
    setup: &'a Setup,
    trace: &'a Trace,
    clock: Clock,
    /// When the simulation stops, in milliseconds.
    end: u64,
    rng: ChaCha8Rng,
    autoscaler: Autoscaler,
    replicas: u32,
    pods: Pods,
    metric: History,
    jobs: Vec<InnerJob>,
    queue: VecDeque<usize>,
    proving: u32,
    /// Rollups that have arrived and have not begun.
    waiting: VecDeque<usize>,
    /// The current rollup, its phase, and how many jobs of the phase are unfinished.
    current: Option<(usize, usize, usize)>,
    outer_queue: VecDeque<usize>,
    outer_free: u32,
    settled: usize,
    outcome: Outcome,
}

impl<'a> SimulatedFleet<'a> {
    pub(super) fn new(setup: &'a Setup, trace: &'a Trace) -> Self {
        let mut world = Self {
            setup,
            trace,
            clock: Clock::default(),
            end: longest(setup, trace),
            rng: ChaCha8Rng::seed_from_u64(setup.seed),
            autoscaler: Autoscaler::new(setup.hpa.clone()),
            replicas: setup.warm,
            pods: Pods::default(),
            metric: History::default(),
            jobs: Vec::new(),
            queue: VecDeque::new(),
            proving: 0,
            waiting: VecDeque::new(),
            current: None,
            outer_queue: VecDeque::new(),
            outer_free: setup.outer,
            settled: 0,
            outcome: Outcome {
                latencies: vec![None; trace.rollups.len()],
                ..Outcome::default()
            },
        };
        for _ in 0..setup.warm {
            let pod = world.make_pod();
            world.clock.at(0, Event::Ready(pod));
        }
        for (place, rollup) in trace.rollups.iter().enumerate() {
            world.clock.at(ms(rollup.at_s), Event::Arrives(place));
        }
        for Lost { at_s, pods } in &trace.lost {
            world.clock.at(ms(*at_s), Event::LostMany(*pods));
        }
        world.clock.at(setup.sync_ms, Event::Sync);
        world
    }

    pub(super) fn run(mut self) -> Outcome {
        while !self.is_over()
            && let Some(event) = self.clock.next()
        {
            self.happens(event);
            self.hand_out();
            let seen = match self.setup.signal {
                Signal::Outstanding => self.outstanding(),
                Signal::Ready => self.queue.len() as u32,
            };
            self.metric.push(self.clock.now(), seen);
            let pods = self.pods.all.len() as u32 + self.setup.outer;
            self.outcome.peak_pods = self.outcome.peak_pods.max(pods);
        }
        let now = self.clock.now();
        let lives: u64 = self.pods.all.values().map(|pod| now - pod.since).sum();
        self.outcome.pod_ms += lives + now * u64::from(self.setup.outer);
        self.outcome.simulated_ms = now;
        self.outcome
    }

    fn is_over(&self) -> bool {
        let now = self.clock.now();
        let settled = self.settled == self.trace.rollups.len();
        now >= self.end || (settled && now >= ms(self.trace.until_s))
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Arrives(rollup) => {
                self.waiting.push_back(rollup);
                if self.current.is_none() {
                    self.begin_next();
                }
            }
            Event::Ready(id) => {
                let now = self.clock.now();
                if let Some(pod) = self.pods.all.get_mut(&id) {
                    pod.ready = Some(now);
                }
            }
            Event::Done { pod, job } => self.job_done(pod, job),
            Event::OuterDone(_) => {
                self.outer_free += 1;
                self.step_done();
            }
            Event::Lost(pod) => self.lose(pod),
            Event::LostMany(count) => {
                for pod in self.pods.dearest(count as usize) {
                    self.lose(pod);
                }
            }
            Event::Sync => self.sync(),
        }
    }

    fn sync(&mut self) {
        let now = self.clock.now();
        let late = now.checked_sub(self.setup.lag_ms);
        let metric = late.map_or(0, |then| self.metric.at(then));
        let blind = is_blind(&self.trace.blind, self.setup.sources, now);
        self.replicas = self.autoscaler.sync(Observed {
            now_ms: now,
            spec_replicas: self.replicas,
            status_replicas: self.pods.replicas(),
            metric_milli: (!blind).then_some(i64::from(metric) * 1000),
        });
        self.reconcile();
        let ready = self.pods.all.values().filter(|pod| pod.ready.is_some());
        self.outcome.course.push(Sample {
            at_ms: now,
            outstanding: self.outstanding(),
            replicas: self.replicas,
            ready: ready.count() as u32,
            busy: self.proving,
        });
        self.clock.after(self.setup.sync_ms, Event::Sync);
    }

    /// Creates missing pods and drains surplus pods, as a ReplicaSet does.
    fn reconcile(&mut self) {
        let there = self.pods.replicas();
        for _ in there..self.replicas {
            let pod = self.make_pod();
            self.clock.after(self.setup.start_ms, Event::Ready(pod));
        }
        let surplus = there.saturating_sub(self.replicas);
        let costs = self.setup.deletion_costs;
        for victim in self.pods.victims(surplus as usize, costs) {
            self.drain(victim);
        }
    }

    fn make_pod(&mut self) -> u64 {
        let id = self.pods.make(self.clock.now());
        let rate = self.setup.losses_per_hour;
        if rate > 0.0 {
            let chance: f64 = self.rng.gen_range(f64::EPSILON..1.0);
            let lives = ms(-chance.ln() / rate * 3600.0);
            self.clock.after(lives, Event::Lost(id));
        }
        id
    }

    /// Ends a pod by SIGTERM: finishes a proof that fits the drain time, else requeues it.
    fn drain(&mut self, id: u64) {
        let now = self.clock.now();
        let drain = self.setup.drain_ms;
        let Some(pod) = self.pods.all.get_mut(&id) else {
            return;
        };
        pod.ending = true;
        let Some((job, began)) = pod.job else {
            return self.end_pod(id);
        };
        let remains = (began + self.jobs[job].takes).saturating_sub(now);
        if remains > drain {
            match drain {
                0 => self.outcome.killed += 1,
                _ => self.outcome.handed_back += 1,
            }
            self.end_pod(id);
        }
    }

    fn lose(&mut self, id: u64) {
        if self
            .pods
            .all
            .get_mut(&id)
            .is_some_and(|pod| pod.job.is_some())
        {
            self.outcome.killed += 1;
        }
        self.end_pod(id);
        self.reconcile();
    }

    /// Removes a pod and requeues its job at the head of the queue.
    fn end_pod(&mut self, id: u64) {
        let now = self.clock.now();
        let Some(pod) = self.pods.all.remove(&id) else {
            return;
        };
        self.outcome.pod_ms += now - pod.since;
        if let Some((job, began)) = pod.job {
            self.outcome.wasted_ms += now - began;
            self.proving -= 1;
            self.queue.push_front(job);
        }
    }

    /// Assigns queued jobs to idle pods, and outer jobs to idle outer workers.
    fn hand_out(&mut self) {
        let now = self.clock.now();
        while let (Some(job), Some(id)) = (self.queue.front().copied(), self.pods.idle()) {
            self.queue.pop_front();
            self.proving += 1;
            let there = &mut self.jobs[job];
            if !there.begun {
                there.begun = true;
                self.outcome.waits.push(now - there.since);
            }
            self.clock.after(there.takes, Event::Done { pod: id, job });
            if let Some(pod) = self.pods.all.get_mut(&id) {
                pod.job = Some((job, now));
            }
        }
        while self.outer_free > 0
            && let Some(rollup) = self.outer_queue.pop_front()
        {
            self.outer_free -= 1;
            let phase = self.current.map_or(OUTER, |(_, phase, _)| phase);
            let takes = ms(self.phases(rollup)[phase][0]);
            self.outcome.useful_ms += takes;
            self.clock.after(takes, Event::OuterDone(rollup));
        }
    }

    fn job_done(&mut self, id: u64, job: usize) {
        // A pod that was lost before its job's end proved nothing.
        let Some(pod) = self.pods.all.get_mut(&id) else {
            return;
        };
        if pod.job.map(|(own, _)| own) != Some(job) {
            return;
        }
        pod.job = None;
        let ending = pod.ending;
        self.proving -= 1;
        self.outcome.useful_ms += self.jobs[job].takes;
        if ending {
            self.end_pod(id);
        }
        self.step_done();
    }

    /// Records that one job of the current rollup is proved; starts the next phase after the last.
    fn step_done(&mut self) {
        let Some((rollup, phase, waits_for)) = &mut self.current else {
            return;
        };
        *waits_for -= 1;
        if *waits_for == 0 {
            let (rollup, next) = (*rollup, *phase + 1);
            self.enter(rollup, next);
        }
    }

    fn begin_next(&mut self) {
        match self.waiting.pop_front() {
            Some(rollup) => self.enter(rollup, 0),
            None => self.current = None,
        }
    }

    /// Returns the durations of a rollup's jobs by phase: claims, inner
    /// rollups, root rollup, verifier.
    fn phases(&self, place: usize) -> [&'a [f64]; 4] {
        let rollup: &'a Rollup = &self.trace.rollups[place];
        let one = |takes: &'a f64| match *takes > 0.0 {
            true => slice::from_ref(takes),
            false => &[],
        };
        let (root, verifier) = (one(&rollup.root_s), one(&rollup.verifier_s));
        [&rollup.claims_s, &rollup.inners_s, root, verifier]
    }

    /// Starts the first phase from `first` on that has jobs, or else settles the rollup.
    fn enter(&mut self, place: usize, first: usize) {
        let phases = self.phases(place);
        let Some(phase) = (first..4).find(|phase| !phases[*phase].is_empty()) else {
            let since = ms(self.trace.rollups[place].at_s);
            self.outcome.latencies[place] = Some(self.clock.now() - since);
            self.settled += 1;
            return self.begin_next();
        };
        self.current = Some((place, phase, phases[phase].len()));
        if phase >= OUTER {
            return self.outer_queue.push_back(place);
        }
        for takes in phases[phase] {
            self.queue.push_back(self.jobs.len());
            self.jobs.push(InnerJob {
                takes: ms(*takes),
                since: self.clock.now(),
                begun: false,
            });
        }
    }

    fn outstanding(&self) -> u32 {
        self.queue.len() as u32 + self.proving
    }
}

fn ms(seconds: f64) -> u64 {
    (seconds * 1000.0).round() as u64
}

/// Returns the time limit: all work on a single pod, plus four hours.
fn longest(setup: &Setup, trace: &Trace) -> u64 {
    let work = trace.rollups.iter().map(|rollup| {
        let inner: f64 = rollup.claims_s.iter().chain(&rollup.inners_s).sum();
        inner + rollup.root_s + rollup.verifier_s
    });
    let arrived = trace.rollups.last().map_or(0.0, |rollup| rollup.at_s);
    let all = arrived.max(trace.until_s) + work.sum::<f64>() + 4.0 * 3600.0;
    ms(all) + setup.start_ms + setup.lag_ms
}
