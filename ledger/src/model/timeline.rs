use std::time::Duration;

use serde::{Deserialize, Serialize};
use zkwhirl_job::{Kind, named};

use super::JobProgress;
use crate::{
    EventName, LedgerEvent,
    events::{JobEvent, JobEventKind},
};

/// How many steps of one job are kept: the first half and the last half.
pub(super) const STEPS: usize = 96;
/// How many runs of one job, and how many phases of one run, are kept.
pub(super) const RUNS: usize = 32;

/// The history of one job.
#[derive(Debug, Default)]
pub struct JobTimeline {
    /// The job's kind; `None` if no event or record contains it.
    pub kind: Option<Kind>,
    /// The id of the job's rollup; `None` if no event or record contains it.
    pub rollup_id: Option<u32>,
    /// The job's events, oldest first.
    pub steps: Vec<JobStep>,
    /// The job's runs on workers, oldest first.
    pub runs: Vec<JobRun>,
    /// How long the prover took for the job's last proof; `None` if another process
    /// received the event.
    pub prove_time: Option<Duration>,
}

/// One event in a job's life.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobStep {
    /// When the event happened, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The event's name.
    pub what: EventName,
    /// The number of the attempt, if the event has one.
    pub attempt: Option<u32>,
    /// The name of the worker, if the event has one.
    pub worker: Option<String>,
    /// The event's reason, upstream or reply size, as text.
    pub text: Option<String>,
}

/// One attempt of a worker at a job, from the claim to its end.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct JobRun {
    /// The name of the worker that made this attempt.
    pub worker: String,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// When the run began, in milliseconds since the Unix epoch.
    pub from_ms: u64,
    /// When the run ended, in ms since the Unix epoch; `None` while it runs.
    pub to_ms: Option<u64>,
    /// The outcome of the run.
    pub outcome: RunOutcome,
    /// The prover's phases, in order.
    pub phases: Vec<RunPhase>,
    /// How much of the last phase is done, 0 to 1.
    pub fraction: f32,
}

named! {
    /// How a run ended.
    #[derive(Default)]
    pub enum RunOutcome {
        /// The run has not ended.
        #[default]
        Running = "running",
        /// The run ended with a proof.
        Proved = "proved",
        /// The run ended with a failure.
        Failed = "failed",
        /// The run ended with a proof that the bridge refused.
        Unverified = "unverified",
        /// The run ended because its job was requeued.
        HandedBack = "handed-back",
        /// The run ended because its job was rejected or withdrawn.
        CalledOff = "called-off",
        /// Another worker claimed the job, and no end of this run was reported: the
        /// run's worker ended or lost its connection.
        Lost = "lost",
        /// An outcome of another release.
        #[serde(other)]
        Unknown = "unknown",
    }
}

/// One phase of a prover's work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunPhase {
    /// The phase's name: `key`, `witness`, `prove` or `verify`.
    pub name: String,
    /// When the phase began, in milliseconds since the Unix epoch.
    pub from_ms: u64,
    /// When the phase ended or was last reported, in ms since the Unix epoch.
    pub to_ms: u64,
}

impl JobRun {
    /// How long the run took, in milliseconds; 0 while it runs.
    pub fn length_ms(&self) -> u64 {
        self.to_ms.map_or(0, |end| end.saturating_sub(self.from_ms))
    }
}

impl JobStep {
    pub(super) fn of_event(event: &JobEvent) -> Self {
        let text = match &event.what {
            JobEventKind::Taken { upstream, .. } | JobEventKind::Joined { upstream, .. } => {
                Some(upstream.clone())
            }
            JobEventKind::Retrying { class, reason, .. } => Some(format!("{class}: {reason}")),
            JobEventKind::Proved { reply_bytes, .. } => {
                Some(format!("a reply of {reply_bytes} bytes"))
            }
            what => what.reason().map(str::to_owned),
        };
        Self {
            at_ms: event.at_ms,
            what: event.what.event(),
            attempt: event.what.attempt(),
            worker: event.what.worker().map(str::to_owned),
            text,
        }
    }

    /// Makes the step of an event of the ledger's stream. `None`: the event is no step
    /// of a job, or has a name of another release.
    pub(super) fn of_ledger(event: &LedgerEvent) -> Option<Self> {
        let detail = |name: &str| event.detail.get(name).cloned();
        Some(Self {
            at_ms: event.at_ms,
            what: event.what.parse().ok()?,
            attempt: detail("attempt").and_then(|attempt| attempt.parse().ok()),
            worker: detail("worker"),
            text: detail("reason").or_else(|| detail("upstream")),
        })
    }
}

impl JobTimeline {
    /// The job's last step of this name.
    pub fn last(&self, what: EventName) -> Option<&JobStep> {
        self.steps.iter().rev().find(|step| step.what == what)
    }

    /// The job's progress, which its last decisive step determines.
    pub fn progress(&self) -> JobProgress {
        let decided = self.steps.iter().rev().find_map(|step| match step.what {
            EventName::Dead => Some(JobProgress::Dead),
            EventName::Proved | EventName::Delivered => Some(JobProgress::Proved),
            EventName::Taken
            | EventName::Retrying
            | EventName::Unverified
            | EventName::Replayed
            | EventName::Rejected => Some(JobProgress::Waiting),
            _ => None,
        });
        match decided {
            None | Some(JobProgress::Waiting) if self.running().is_some() => JobProgress::Running,
            decided => decided.unwrap_or(JobProgress::Waiting),
        }
    }

    /// The run that has not ended, if any.
    pub fn running(&self) -> Option<&JobRun> {
        self.runs.last().filter(|run| run.to_ms.is_none())
    }

    /// How long the job waited for its first claim, in milliseconds; `None` before the
    /// claim, and if the event of the taking is missing.
    pub fn waited_ms(&self) -> Option<u64> {
        let first = |what| self.steps.iter().find(|step| step.what == what);
        let (taken, claimed) = (first(EventName::Taken)?, first(EventName::Claimed)?);
        Some(claimed.at_ms.saturating_sub(taken.at_ms))
    }

    pub(super) fn push(&mut self, step: JobStep) {
        // Both the worker and the bridge report that a job is proved.
        let repeated = |last: &JobStep| last.what == step.what && last.attempt == step.attempt;
        if step.what == EventName::Proved && self.steps.last().is_some_and(repeated) {
            return;
        }
        match step.what {
            EventName::Claimed => {
                self.close(step.at_ms, RunOutcome::Lost);
                if self.runs.len() >= RUNS {
                    self.runs.remove(RUNS / 2);
                }
                self.runs.push(JobRun {
                    worker: step.worker.clone().unwrap_or_default(),
                    attempt: step.attempt.unwrap_or(1),
                    from_ms: step.at_ms,
                    ..JobRun::default()
                });
            }
            EventName::Proved => self.close(step.at_ms, RunOutcome::Proved),
            EventName::Retrying | EventName::Dead => self.close(step.at_ms, RunOutcome::Failed),
            EventName::Queued | EventName::HandedBack | EventName::Republished => {
                self.close(step.at_ms, RunOutcome::HandedBack);
            }
            EventName::Rejected | EventName::Withdrawn => {
                self.close(step.at_ms, RunOutcome::CalledOff);
            }
            EventName::Unverified => {
                if let Some(run) = self.runs.last_mut() {
                    run.outcome = RunOutcome::Unverified;
                }
            }
            _ => {}
        }
        if self.steps.len() >= STEPS {
            self.steps.remove(STEPS / 2);
        }
        self.steps.push(step);
    }

    fn close(&mut self, at_ms: u64, outcome: RunOutcome) {
        let Some(run) = self.runs.last_mut().filter(|run| run.to_ms.is_none()) else {
            return;
        };
        run.to_ms = Some(at_ms.max(run.from_ms));
        run.outcome = outcome;
        if let Some(phase) = run.phases.last_mut() {
            phase.to_ms = phase.to_ms.max(at_ms);
        }
    }

    /// Applies a progress report of the prover of `worker`; a late report of a worker
    /// that no longer has the job changes nothing.
    pub(super) fn report(&mut self, worker: &str, phase: &str, fraction: f32, at_ms: u64) {
        let open = |run: &&mut JobRun| run.to_ms.is_none() && run.worker == worker;
        let Some(run) = self.runs.last_mut().filter(open) else {
            return;
        };
        run.fraction = fraction;
        if let Some(last) = run.phases.last_mut() {
            last.to_ms = last.to_ms.max(at_ms);
            if last.name == phase {
                return;
            }
        }
        if run.phases.len() < RUNS {
            run.phases.push(RunPhase {
                name: phase.to_owned(),
                from_ms: at_ms,
                to_ms: at_ms,
            });
        }
    }
}
