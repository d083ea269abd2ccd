//! The claim loop of each slot.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{task::JoinSet, time::sleep};
use tokio_util::task::AbortOnDropHandle;
use zkwhirl_broker_adapter::JobConsumer;
use zkwhirl_job::{Failure, Kind, Topic, envelope::JobEnvelope};
use zkwhirl_ledger as ledger;
use zkwhirl_ledger::What;
use zkwhirl_prover::{Meter, Prover};
use zkwhirl_telemetry::{catalogue::worker::PROVER_RESTARTS, trace::Trace};

use crate::{
    Slot, Stop, WorkerConfig, WorkerDeps,
    admission::Permit,
    attempt::Health,
    measure::{Measures, SlotActivity, Standing},
    presence::Presence,
    prove::Unwinding,
    words::{self, Ear},
};

/// The first pause before something is tried again.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Works in all slots until told to stop; returns when every slot has left its
/// queue and its prover has ended.
pub async fn run(config: WorkerConfig, deps: WorkerDeps, slots: Vec<Slot>, stop: Stop) {
    let config = Arc::new(config);
    let mut seats = JoinSet::new();
    let ears: Vec<_> = slots
        .iter()
        .map(|slot| (slot.name.clone(), Ear::new(stop.drain.child_token())))
        .collect();
    let mut tellers = JoinSet::new();
    let measures = Arc::new(Measures::default());
    let standings: Vec<_> = slots
        .iter()
        .map(|slot| measures.slot(&slot.topics, slot.prover.meter()))
        .collect();
    let _watch = AbortOnDropHandle::new(tokio::spawn(measures.watch()));
    let words = words::listen(deps.broker.clone(), ears.clone());
    let _words = AbortOnDropHandle::new(tokio::spawn(words));
    for ((slot, (_, ear)), standing) in slots.into_iter().zip(ears).zip(standings) {
        let presence = Presence::new(&slot);
        let stop = Stop {
            drain: ear.drain.clone(),
            abort: stop.abort.clone(),
        };
        tellers.spawn(presence.clone().tell(
            deps.ledger.clone(),
            slot.prover.meter(),
            ear.clone(),
            stop.clone(),
        ));
        let seat = Seat {
            config: config.clone(),
            deps: deps.clone(),
            stop,
            ear,
            standing,
            trace: None,
            presence,
            name: slot.name,
            topics: slot.topics,
            failures: 0,
            restarts: 0,
            expected: HashMap::new(),
        };
        seats.spawn(seat.work(slot.prover));
    }
    while let Some(left) = seats.join_next().await {
        if let Err(error) = left {
            // Provers' panics are caught: this is our own. The job that was
            // held is redelivered.
            tracing::error!("a slot ended: {error}");
        }
    }
}

/// A slot at work. Its prover is handed along beside it: provers are not
/// `Sync`.
pub(crate) struct Seat {
    pub(crate) config: Arc<WorkerConfig>,
    pub(crate) deps: WorkerDeps,
    pub(crate) stop: Stop,
    pub(crate) ear: Ear,
    standing: Standing,
    /// The span of the delivery that it deals with.
    pub(crate) trace: Option<Trace>,
    pub(crate) presence: Presence,
    pub(crate) name: String,
    topics: Vec<Topic>,
    failures: u32,
    /// How often it was told to restart its prover, and did.
    restarts: u64,
    /// What the last job of each kind took.
    pub(crate) expected: HashMap<Kind, Duration>,
}

/// Why a slot leaves its queue.
enum Leave {
    Drained,
    /// Somebody said so.
    Quiet,
    /// Memory for another job is missing.
    Crowded,
    /// The broker is away.
    Cut,
    /// The prover must be restarted and prove something first.
    Unwell,
}

impl Seat {
    async fn work(mut self, mut prover: Box<dyn Prover>) {
        if self.config.start_provers {
            self.heal(&mut *prover, false).await;
        }
        let mut pause = FIRST_PAUSE;
        let meter = prover.meter();
        while !self.stop.is_draining() {
            self.turn(SlotActivity::Away);
            if self.ear.is_quiet() {
                self.until_loud().await;
                continue;
            }
            let Some(permit) = self.room(&meter).await else {
                continue;
            };
            let joined = self.deps.broker.subscribe(&self.topics, &self.name);
            let left = match joined.await {
                // The consumer is dropped with the slot's leaving: while it is
                // away, jobs that others failed are not kept for it.
                Ok(mut jobs) => {
                    pause = FIRST_PAUSE;
                    self.serve(&mut *jobs, &mut *prover, permit.as_ref()).await
                }
                Err(error) => {
                    tracing::warn!(slot = self.name, "cannot join the queue: {error}");
                    Leave::Cut
                }
            };
            match left {
                Leave::Drained => break,
                Leave::Quiet | Leave::Crowded => {}
                Leave::Cut => {
                    self.pause(pause).await;
                    pause = (pause * 2).min(self.config.longest_pause);
                }
                Leave::Unwell => {
                    tracing::warn!(slot = self.name, "out of the queue: restarting the prover");
                    self.heal(&mut *prover, true).await;
                }
            }
        }
        prover.stop().await;
    }

    /// The slot does something else, without a job.
    fn turn(&mut self, doing: SlotActivity) {
        self.standing.turn(doing);
        self.presence.turn(match doing {
            SlotActivity::Loading => ledger::SlotActivity::Starting,
            SlotActivity::Idle => ledger::SlotActivity::Idle,
            SlotActivity::Busy(_) | SlotActivity::Away => ledger::SlotActivity::Waiting,
        });
    }

    /// Claims and proves until there is a reason to leave.
    async fn serve(
        &mut self,
        jobs: &mut dyn JobConsumer,
        prover: &mut dyn Prover,
        permit: Option<&Permit>,
    ) -> Leave {
        let _ready = self.config.readiness.one_more();
        loop {
            self.turn(SlotActivity::Idle);
            let claimed = tokio::select! {
                biased;
                () = self.stop.draining() => return Leave::Drained,
                () = self.ear.until(true) => return Leave::Quiet,
                () = revoked(permit) => return Leave::Crowded,
                () = self.ear.until_restart(self.restarts) => return Leave::Unwell,
                claimed = jobs.claim() => claimed,
            };
            let delivery = match claimed {
                Ok(delivery) => delivery,
                Err(error) => {
                    tracing::warn!(slot = self.name, "lost the queue: {error}");
                    return Leave::Cut;
                }
            };
            if let Some(permit) = permit {
                permit.set_proving(true);
            }
            self.standing.turn(SlotActivity::Busy(delivery.job.topic()));
            let job = &delivery.job;
            let trace = Trace::process(delivery.queue, &job.id, job.trace.as_deref());
            self.trace = Some(trace);
            self.presence.attend(&delivery.job);
            let health = self.attend(delivery, prover).await;
            self.trace = None;
            if let Some(permit) = permit {
                permit.set_proving(false);
            }
            match health {
                Health::Fine => self.failures = 0,
                Health::Unknown => {}
                Health::Failed => self.failures += 1,
                Health::Broken => return Leave::Unwell,
            }
            if self.failures >= self.config.failures_in_a_row {
                return Leave::Unwell;
            }
        }
    }

    /// Waits for memory. The outer `None`: there is something else to do first.
    async fn room(&self, meter: &Meter) -> Option<Option<Permit>> {
        let Some(admission) = &self.config.admission else {
            return Some(None);
        };
        tokio::select! {
            biased;
            () = self.stop.draining() => None,
            () = self.ear.until(true) => None,
            permit = admission.enter(&self.name, meter) => Some(Some(permit)),
        }
    }

    /// Restarts the prover until it starts and, when it has to `prove` itself,
    /// proves its self-test.
    async fn heal(&mut self, prover: &mut dyn Prover, prove: bool) {
        let mut pause = FIRST_PAUSE;
        let stop = self.stop.clone();
        self.turn(SlotActivity::Loading);
        loop {
            self.restarts = self.ear.restarts();
            let healed = tokio::select! {
                () = stop.draining() => return,
                healed = restart(prover, prove) => healed,
            };
            PROVER_RESTARTS.one([if healed.is_ok() { "ok" } else { "error" }]);
            match healed {
                Ok(()) => {
                    self.failures = 0;
                    tracing::info!(slot = self.name, "the prover is ready");
                    return;
                }
                Err(failure) => {
                    tracing::error!(slot = self.name, "the prover does not start: {failure}");
                }
            }
            self.pause(pause).await;
            pause = (pause * 2).min(self.config.longest_pause);
        }
    }

    async fn until_loud(&self) {
        tokio::select! {
            () = self.stop.draining() => {}
            () = self.ear.until(false) => {}
        }
    }

    async fn pause(&self, pause: Duration) {
        tokio::select! {
            () = self.stop.draining() => {}
            () = sleep(pause) => {}
        }
    }

    pub(crate) fn emit(&self, job: &JobEnvelope, what: What) {
        let events = &self.deps.events;
        events.emit(job.id, Some(job.kind), job.rollup_id, what);
    }
}

/// Returns when memory for another job is missing.
async fn revoked(permit: Option<&Permit>) {
    match permit {
        Some(permit) => permit.revoked().await,
        None => std::future::pending().await,
    }
}

async fn restart(prover: &mut dyn Prover, prove: bool) -> Result<(), Failure> {
    let healed = Unwinding(Box::pin(async {
        prover.restart().await?;
        match prove {
            true => prover.self_test().await,
            false => Ok(()),
        }
    }));
    let panicked = |text| Failure::prover(format!("the prover panicked: {text}"));
    healed.await.map_err(panicked)?
}
