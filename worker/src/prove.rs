//! Runs a prover on one job, with a deadline and with its panics caught, and
//! restarts a prover.

use std::{
    any::Any,
    future::Future,
    panic::AssertUnwindSafe,
    pin::pin,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures_util::FutureExt;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use zkwhirl_job::{Failure, Kind, envelope::JobEnvelope};
use zkwhirl_ledger::{JobEventKind, SlotActivity};
use zkwhirl_prover::{Progress, ProveError, ProveTask, ProveWatch, Proved, Prover};
use zkwhirl_telemetry::catalogue::worker::PROVER_RESTARTS;

use crate::{
    measure::PhaseTimes,
    slot::{FIRST_PAUSE, SlotLoop},
};

/// The outcome of a run, and whether the prover can be used again.
pub(crate) struct EndedRun {
    pub(crate) outcome: Result<Proved, ProveError>,
    /// True: the prover must be restarted, because it panicked or was abandoned during
    /// the run.
    pub(crate) broken: bool,
}

/// Waits for a prover's answer. `Err`: the prover panicked and must be restarted
/// before it is used again.
async fn unless_panicked<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let worked = AssertUnwindSafe(work).catch_unwind().await;
    worked.map_err(|panic| {
        let text = text_of(&*panic);
        Failure::prover(format!("the prover panicked: {text}"))
    })
}

fn text_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no text")
}

impl SlotLoop {
    /// Restarts the prover until the restart succeeds and, if `prove` is true, its
    /// self-test is proved. Returns early when the slot drains.
    pub(crate) async fn heal(&mut self, prover: &mut dyn Prover, prove: bool) {
        let mut pause = FIRST_PAUSE;
        self.set_activity(SlotActivity::Starting);
        loop {
            self.restarts = self.control.restarts();
            let healed = self.stop.unless_draining(restart(prover, prove)).await;
            let Some(healed) = healed else {
                return;
            };
            PROVER_RESTARTS.one([if healed.is_ok() { "ok" } else { "error" }]);
            match healed {
                Ok(()) => {
                    self.failures = 0;
                    tracing::info!(slot = self.name, "the slot's prover is ready");
                    return;
                }
                Err(failure) => {
                    tracing::error!(
                        slot = self.name,
                        "cannot start the slot's prover, next try in {pause:?}: {failure}"
                    );
                }
            }
            self.stop.unless_draining(sleep(pause)).await;
            pause = (pause * 2).min(self.config.longest_pause);
        }
    }

    /// Runs the prover on a request until the request is proved, the run fails, or
    /// the slot cancels the run.
    pub(crate) async fn prove(
        &self,
        prover: &mut dyn Prover,
        job: &JobEnvelope,
        request: Bytes,
        cancelled: &CancellationToken,
    ) -> EndedRun {
        let task = ProveTask {
            kind: job.kind,
            command: job.command(),
            request,
            sizes: job.sizes,
            deadline: self.config.deadlines.of(job.kind),
        };
        let cancel = CancellationToken::new();
        let (sender, progress) = watch::channel(Progress::START);
        let watch = ProveWatch {
            cancel: cancel.clone(),
            progress: sender,
        };
        let start = Instant::now();
        let phases = Mutex::new(PhaseTimes::begin());
        let ended = {
            let proving = unless_panicked(prover.prove(&task, &watch));
            let ordered = self.ordered_to_end(job.kind, cancelled);
            tokio::select! {
                ended = self.watched(proving, ordered, &cancel, task.deadline) => ended,
                () = self.report(job, progress, &phases) => unreachable!("reporting does not end"),
            }
        };
        if let Ok(Ok(_)) = &ended {
            let phases = phases.into_inner().unwrap_or_else(PoisonError::into_inner);
            phases.record(job.topic());
        }
        let broken = ended.is_err();
        let plain = |failure| Err(ProveError::plain(failure, start.elapsed()));
        EndedRun {
            outcome: ended.unwrap_or_else(plain),
            broken,
        }
    }

    /// Waits for the prover's answer. `Err`: the prover panicked or hangs.
    async fn watched(
        &self,
        proving: impl Future<Output = Result<Result<Proved, ProveError>, Failure>>,
        ordered_to_end: impl Future<Output = ()>,
        cancel: &CancellationToken,
        deadline: Duration,
    ) -> Result<Result<Proved, ProveError>, Failure> {
        let mut proving = pin!(proving);
        let patience = self.config.patience;
        tokio::select! {
            biased;
            ended = &mut proving => return ended,
            () = ordered_to_end => {}
            () = sleep(deadline + patience) => {
                let reason = format!("the prover gave no answer within {deadline:?} and hangs");
                return Err(Failure::prover(reason));
            }
        }
        cancel.cancel();
        let ended = tokio::select! {
            biased;
            ended = &mut proving => ended?,
            () = sleep(patience) => {
                return Err(Failure::interrupted("cancelled; the prover hangs"));
            }
        };
        // The slot ended the prover's run: the prover's own error does not count.
        Ok(ended.map_err(|error| ProveError {
            failure: Failure::interrupted(error.failure.reason),
            ..error
        }))
    }

    /// Waits until the proof must end early: on a cancel message, on abort, and on
    /// drain when the proof would take longer than the grace.
    async fn ordered_to_end(&self, kind: Kind, cancelled: &CancellationToken) {
        let start = Instant::now();
        let drained = async {
            self.stop.drain.cancelled().await;
            let grace = self.config.grace;
            let expected = self.expected.get(&kind);
            let left = expected.map(|all| all.saturating_sub(start.elapsed()));
            if left.is_none_or(|left| left <= grace) {
                sleep(grace).await;
            }
        };
        tokio::select! {
            () = drained => {}
            () = cancelled.cancelled() => {}
            () = self.stop.abort.cancelled() => {}
        }
    }

    /// Reports the prover's progress, for as long as this future is polled.
    async fn report(
        &self,
        job: &JobEnvelope,
        mut progress: watch::Receiver<Progress>,
        phases: &Mutex<PhaseTimes>,
    ) {
        while progress.changed().await.is_ok() {
            let now = *progress.borrow_and_update();
            self.reporter.progress(now);
            let Progress { phase, fraction } = now;
            let mut spent = phases.lock().unwrap_or_else(PoisonError::into_inner);
            spent.set(phase);
            drop(spent);
            let what = JobEventKind::Progress {
                worker: self.name.clone(),
                phase: phase.name(),
                fraction,
            };
            self.emit(job, what);
        }
        std::future::pending().await
    }
}

async fn restart(prover: &mut dyn Prover, prove: bool) -> Result<(), Failure> {
    let healing = async {
        prover.restart().await?;
        match prove {
            true => prover.self_test().await,
            false => Ok(()),
        }
    };
    unless_panicked(healing).await?
}
