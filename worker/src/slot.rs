//! The claim loop of each slot.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{task::JoinSet, time::sleep};
use tokio_util::task::AbortOnDropHandle;
use zkwhirl_broker_adapter::JobConsumer;
use zkwhirl_job::{Kind, Topic, envelope::JobEnvelope};
use zkwhirl_ledger::{JobEventKind, SlotActivity};
use zkwhirl_prover::{Meter, Prover};
use zkwhirl_telemetry::trace::Trace;

use crate::{
    Slot, Stop, WorkerConfig, WorkerDeps,
    admission::Permit,
    control::{self, SlotControl},
    measure::{SlotGauge, SlotMetrics},
    report::SlotReporter,
};

/// The first pause before an operation is tried again.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Runs all slots until `stop` is cancelled; returns when every slot has stopped
/// consuming and its prover has ended.
pub async fn run(config: WorkerConfig, deps: WorkerDeps, slots: Vec<Slot>, stop: Stop) {
    let config = Arc::new(config);
    let metrics = Arc::new(SlotMetrics::default());
    // Every gauge is made before the sums begin.
    let gauges: Vec<_> = slots
        .iter()
        .map(|slot| metrics.slot(&slot.topics, slot.prover.meter()))
        .collect();
    let _sums = AbortOnDropHandle::new(tokio::spawn(metrics.watch()));
    let (mut loops, mut reporters) = (JoinSet::new(), JoinSet::new());
    let mut controls = Vec::new();
    for (slot, gauge) in slots.into_iter().zip(gauges) {
        let reporter = SlotReporter::new(&slot);
        let control = SlotControl::new(stop.drain.child_token());
        controls.push((slot.name.clone(), control.clone()));
        let stop = Stop {
            drain: control.drain.clone(),
            abort: stop.abort.clone(),
        };
        reporters.spawn(reporter.clone().run(
            deps.ledger.clone(),
            slot.prover.meter(),
            control.clone(),
            stop.clone(),
        ));
        let worker = SlotLoop {
            config: config.clone(),
            deps: deps.clone(),
            stop,
            control,
            gauge,
            trace: None,
            reporter,
            name: slot.name,
            topics: slot.topics,
            failures: 0,
            restarts: 0,
            expected: HashMap::new(),
        };
        loops.spawn(worker.run(slot.prover));
    }
    let receiving = control::receive(deps.broker.clone(), controls);
    let _receiving = AbortOnDropHandle::new(tokio::spawn(receiving));
    while let Some(left) = loops.join_next().await {
        if let Err(error) = left {
            // Provers' panics are caught: this panic is the slot's own.
            tracing::error!(
                "a slot of this worker panicked and proves no more; its job is redelivered; restart the worker: {error}"
            );
        }
    }
}

/// The claim loop of one slot. The prover is a separate argument, because provers
/// are not `Sync`.
pub(crate) struct SlotLoop {
    pub(crate) config: Arc<WorkerConfig>,
    pub(crate) deps: WorkerDeps,
    pub(crate) stop: Stop,
    pub(crate) control: SlotControl,
    gauge: SlotGauge,
    /// The span of the current delivery.
    pub(crate) trace: Option<Trace>,
    pub(crate) reporter: SlotReporter,
    pub(crate) name: String,
    topics: Vec<Topic>,
    pub(crate) failures: u32,
    /// How many restart messages the slot has carried out.
    pub(crate) restarts: u64,
    /// How long the last proof of each kind took.
    pub(crate) expected: HashMap<Kind, Duration>,
}

/// Why a slot stops consuming from its queue.
enum Leave {
    Drained,
    /// A control message paused the slot.
    Quiet,
    /// The free memory is too small for another job.
    MemoryShort,
    /// The broker is unreachable.
    BrokerAway,
    /// The prover must be restarted and prove its self-test first.
    ProverBroken,
}

/// The slot drains or is paused: it no longer waits for memory.
struct NoPermit;

/// What the outcome of a delivery says about the slot's prover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SlotHealth {
    /// The prover proved the job.
    Fine,
    /// Nothing is known: there was nothing to prove, or the request is to blame.
    Unknown,
    /// The attempt failed.
    Failed,
    /// The prover must be restarted before it is used again.
    Broken,
}

impl SlotLoop {
    async fn run(mut self, mut prover: Box<dyn Prover>) {
        if self.config.start_provers {
            self.heal(&mut *prover, false).await;
        }
        let mut pause = FIRST_PAUSE;
        let meter = prover.meter();
        while !self.stop.is_draining() {
            self.set_activity(SlotActivity::Waiting);
            if self.control.is_quiet() {
                let not_quiet = self.control.until_quiet(false);
                self.stop.unless_draining(not_quiet).await;
                continue;
            }
            let Ok(permit) = self.admitted(&meter).await else {
                continue;
            };
            let joined = self.deps.broker.subscribe(&self.topics, &self.name);
            let left = match joined.await {
                // The consumer is dropped when the slot stops consuming: jobs that
                // other slots failed are then no longer kept for this one.
                Ok(mut jobs) => {
                    pause = FIRST_PAUSE;
                    self.serve(&mut *jobs, &mut *prover, permit.as_ref()).await
                }
                Err(error) => {
                    tracing::warn!(
                        slot = self.name,
                        "cannot start consuming jobs, next try in {pause:?}: {error}"
                    );
                    Leave::BrokerAway
                }
            };
            match left {
                Leave::Drained => break,
                Leave::Quiet | Leave::MemoryShort => {}
                Leave::BrokerAway => {
                    self.stop.unless_draining(sleep(pause)).await;
                    pause = (pause * 2).min(self.config.longest_pause);
                }
                Leave::ProverBroken => {
                    tracing::warn!(
                        slot = self.name,
                        "the slot stops consuming jobs to restart its prover"
                    );
                    self.heal(&mut *prover, true).await;
                }
            }
        }
        prover.stop().await;
    }

    /// Sets the activity of the slot, which has no job.
    pub(crate) fn set_activity(&mut self, activity: SlotActivity) {
        self.gauge.set(activity, None);
        self.reporter.set_doing(activity);
    }

    /// Claims and proves jobs until there is a reason to stop consuming.
    async fn serve(
        &mut self,
        jobs: &mut dyn JobConsumer,
        prover: &mut dyn Prover,
        permit: Option<&Permit>,
    ) -> Leave {
        let _ready = self.config.readiness.one_more();
        loop {
            self.set_activity(SlotActivity::Idle);
            let claimed = tokio::select! {
                biased;
                () = self.stop.draining() => return Leave::Drained,
                () = self.control.until_quiet(true) => return Leave::Quiet,
                () = revoked(permit) => return Leave::MemoryShort,
                () = self.control.until_restart(self.restarts) => return Leave::ProverBroken,
                claimed = jobs.claim() => claimed,
            };
            let delivery = match claimed {
                Ok(delivery) => delivery,
                Err(error) => {
                    tracing::warn!(
                        slot = self.name,
                        "the slot's consumer of jobs ended, the slot subscribes again: {error}"
                    );
                    return Leave::BrokerAway;
                }
            };
            if let Some(permit) = permit {
                permit.set_proving(true);
            }
            let topic = delivery.job.topic();
            self.gauge.set(SlotActivity::Proving, Some(topic));
            let job = &delivery.job;
            let trace = Trace::process(delivery.queue, &job.id, job.trace.as_deref());
            self.trace = Some(trace);
            self.reporter.set_job(&delivery.job);
            let health = self.process(delivery, prover).await;
            self.trace = None;
            if let Some(permit) = permit {
                permit.set_proving(false);
            }
            match health {
                SlotHealth::Fine => self.failures = 0,
                SlotHealth::Unknown => {}
                SlotHealth::Failed => self.failures += 1,
                SlotHealth::Broken => return Leave::ProverBroken,
            }
            if self.failures >= self.config.failures_in_a_row {
                return Leave::ProverBroken;
            }
        }
    }

    /// Waits until the slot is admitted. `None`: this worker admits every slot.
    async fn admitted(&self, meter: &Meter) -> Result<Option<Permit>, NoPermit> {
        let Some(admission) = &self.config.admission else {
            return Ok(None);
        };
        tokio::select! {
            biased;
            () = self.stop.draining() => Err(NoPermit),
            () = self.control.until_quiet(true) => Err(NoPermit),
            permit = admission.enter(&self.name, meter) => Ok(Some(permit)),
        }
    }

    pub(crate) fn emit(&self, job: &JobEnvelope, what: JobEventKind) {
        let events = &self.deps.events;
        events.emit(job.id, Some(job.kind), job.rollup_id, what);
    }
}

/// Waits until the free memory is too small for another job.
async fn revoked(permit: Option<&Permit>) {
    match permit {
        Some(permit) => permit.revoked().await,
        None => std::future::pending().await,
    }
}
