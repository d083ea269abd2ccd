//! One run of a prover: watched, bounded in time, its panics caught.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use zkwhirl_job::{Failure, envelope::JobEnvelope};
use zkwhirl_ledger::JobEventKind;
use zkwhirl_prover::{Progress, ProveError, ProveTask, ProveWatch, Proved, Prover};

use crate::{Stop, WorkerConfig, WorkerDeps, measure::PhaseTimes, report::SlotReporter};

/// How a run ended, and in which state it left the prover.
pub(crate) struct EndedRun {
    pub(crate) outcome: Result<Proved, ProveError>,
    /// True when the prover's state cannot be trusted: it panicked or was
    /// abandoned in mid-work.
    pub(crate) broken: bool,
}

/// A future that turns panics into values.
pub(crate) struct CatchPanic<F>(pub(crate) Pin<Box<F>>);

/// The prover panicked, with this text.
#[derive(Debug, thiserror::Error)]
#[error("the prover panicked: {0}")]
pub(crate) struct ProverPanic(String);

impl<F: Future> Future for CatchPanic<F> {
    type Output = Result<F::Output, ProverPanic>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // The prover is not used again before it was restarted.
        match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(ProverPanic(text_of(&*panic)))),
        }
    }
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "no text".to_owned())
}

/// One run of a prover, with what it needs of its slot.
pub(crate) struct ProverRun<'a> {
    pub(crate) config: &'a WorkerConfig,
    pub(crate) deps: &'a WorkerDeps,
    pub(crate) stop: &'a Stop,
    /// Cancelled when no ticket waits for the job any more.
    pub(crate) cancelled: &'a CancellationToken,
    pub(crate) worker: &'a str,
    pub(crate) reporter: &'a SlotReporter,
    /// What the last job of this kind took.
    pub(crate) expected: Option<Duration>,
}

impl ProverRun<'_> {
    /// Proves a request, until it is proved, given up on, or cancelled.
    pub(crate) async fn prove(
        &self,
        prover: &mut dyn Prover,
        job: &JobEnvelope,
        request: Bytes,
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
        let outcome = {
            let proving = CatchPanic(Box::pin(prover.prove(&task, &watch)));
            tokio::select! {
                outcome = self.watched(proving, &cancel, task.deadline) => outcome,
                () = self.report(job, progress, &phases) => unreachable!("reporting does not end"),
            }
        };
        let (failure, broken) = match outcome {
            RunEnd::Proved(proved) => {
                let phases = phases.into_inner().unwrap_or_else(PoisonError::into_inner);
                phases.record(job.topic());
                return EndedRun {
                    outcome: Ok(proved),
                    broken: false,
                };
            }
            RunEnd::Failed(error) => {
                return EndedRun {
                    outcome: Err(error),
                    broken: false,
                };
            }
            RunEnd::Panicked(panic) => (Failure::prover(panic.to_string()), true),
            RunEnd::Hung => {
                let deadline = task.deadline;
                let reason = format!("the prover gave no answer within {deadline:?} and hangs");
                (Failure::prover(reason), true)
            }
            RunEnd::Abandoned => (Failure::interrupted("cancelled; the prover hangs"), true),
        };
        EndedRun {
            outcome: Err(ProveError::plain(failure, start.elapsed())),
            broken,
        }
    }

    async fn watched(
        &self,
        proving: impl Future<Output = Result<Result<Proved, ProveError>, ProverPanic>>,
        cancel: &CancellationToken,
        deadline: Duration,
    ) -> RunEnd {
        let mut proving = pin!(proving);
        let patience = self.config.patience;
        let first = tokio::select! {
            biased;
            end = &mut proving => Some(RunEnd::of(end, false)),
            () = self.ordered_to_end() => None,
            () = sleep(deadline + patience) => Some(RunEnd::Hung),
        };
        if let Some(end) = first {
            return end;
        }
        cancel.cancel();
        tokio::select! {
            biased;
            end = &mut proving => RunEnd::of(end, true),
            () = sleep(patience) => RunEnd::Abandoned,
        }
    }

    /// Returns when the proof must end although it is not done: on a cancel
    /// message, on abort, and on drain when it would take longer than the grace.
    async fn ordered_to_end(&self) {
        let start = Instant::now();
        let drained = async {
            self.stop.drain.cancelled().await;
            let grace = self.config.grace;
            let left = self.expected.map(|all| all.saturating_sub(start.elapsed()));
            if left.is_none_or(|left| left <= grace) {
                sleep(grace).await;
            }
        };
        tokio::select! {
            () = drained => {}
            () = self.cancelled.cancelled() => {}
            () = self.stop.abort.cancelled() => {}
        }
    }

    /// Passes the prover's progress on, for as long as it is polled.
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
                worker: self.worker.to_owned(),
                phase: phase.name(),
                fraction,
            };
            let events = &self.deps.events;
            events.emit(job.id, Some(job.kind), job.rollup_id, what);
        }
        std::future::pending().await
    }
}

enum RunEnd {
    Proved(Proved),
    Failed(ProveError),
    Panicked(ProverPanic),
    /// Past its deadline and not ending by itself.
    Hung,
    /// Cancelled and not ending by itself.
    Abandoned,
}

impl RunEnd {
    fn of(end: Result<Result<Proved, ProveError>, ProverPanic>, cancelled: bool) -> Self {
        match end {
            Ok(Ok(proved)) => Self::Proved(proved),
            // Whatever a killed prover says, this slot killed it.
            Ok(Err(error)) if cancelled => Self::Failed(ProveError {
                failure: Failure::interrupted(error.failure.reason),
                ..error
            }),
            Ok(Err(error)) => Self::Failed(error),
            Err(panic) => Self::Panicked(panic),
        }
    }
}
