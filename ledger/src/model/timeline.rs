use std::time::Duration;

use serde::{Deserialize, Serialize};
use zkwhirl_job::{Kind, named};

use super::JobProgress;
use crate::{
    EventName, LedgerEvent,
    events::{JobEvent, JobEventKind},
};

/// Steps that are kept of one job: the first and the last.
pub(super) const STEPS: usize = 96;
/// Runs that are kept of one job, and phases of one run.
pub(super) const RUNS: usize = 32;

/// What happened to one job.
#[derive(Debug, Default)]
pub struct JobTimeline {
    /// Its kind, when an event or a record said it.
    pub kind: Option<Kind>,
    /// The rollup that it is part of, when an event or a record said it.
    pub rollup_id: Option<u32>,
    /// Its steps, oldest first.
    pub steps: Vec<JobStep>,
    /// Its runs on workers, oldest first.
    pub runs: Vec<JobRun>,
    /// How long the prover took for the last proof, when this process saw it.
    pub prove_time: Option<Duration>,
}

/// One event in a job's life.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobStep {
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The event.
    pub what: EventName,
    /// The attempt, where the event has one.
    pub attempt: Option<u32>,
    /// The worker, where the event has one.
    pub worker: Option<String>,
    /// A reason, an upstream, a size.
    pub text: Option<String>,
}

/// One attempt of a worker at a job, from the claim on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct JobRun {
    /// The worker.
    pub worker: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// When it began, in milliseconds since the Unix epoch.
    pub from_ms: u64,
    /// When it ended; `None` while it goes on.
    pub to_ms: Option<u64>,
    /// How it ended.
    pub outcome: RunOutcome,
    /// What the prover did, in order.
    pub phases: Vec<RunPhase>,
    /// How much of the last phase is done, 0 to 1.
    pub fraction: f32,
}

named! {
    /// How a run ended.
    #[derive(Default)]
    pub enum RunOutcome {
        /// It goes on.
        #[default]
        Running = "running",
        /// With a proof.
        Proved = "proved",
        /// With a failure.
        Failed = "failed",
        /// With a proof that the bridge refused.
        Unverified = "unverified",
        /// The job went back to the queue.
        HandedBack = "handed-back",
        /// The job was rejected or withdrawn meanwhile.
        CalledOff = "called-off",
        /// Another worker claimed the job, and no end of this run was reported: the
        /// worker, or the network to it, is gone.
        Lost = "lost",
        /// An outcome of another release.
        #[serde(other)]
        Unknown = "unknown",
    }
}

/// One phase of a prover's work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunPhase {
    /// `key`, `witness`, `prove`, `verify`.
    pub name: String,
    /// When it began, in milliseconds since the Unix epoch.
    pub from_ms: u64,
    /// When it ended, or when it was last reported.
    pub to_ms: u64,
}

impl JobRun {
    /// How long it took, in milliseconds; 0 while it goes on.
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

    /// The step that an event of the ledger's stream is; `None`: it is none of a
    /// job's life, or of another release.
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
    /// The last step of this name.
    pub fn last(&self, what: EventName) -> Option<&JobStep> {
        self.steps.iter().rev().find(|step| step.what == what)
    }

    /// How far the job is: the last step that decides it.
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

    /// The run that goes on.
    pub fn running(&self) -> Option<&JobRun> {
        self.runs.last().filter(|run| run.to_ms.is_none())
    }

    /// How long the job waited for its first claim, in milliseconds; `None`
    /// before it, and when no taking was seen.
    pub fn waited_ms(&self) -> Option<u64> {
        let first = |what| self.steps.iter().find(|step| step.what == what);
        let (taken, claimed) = (first(EventName::Taken)?, first(EventName::Claimed)?);
        Some(claimed.at_ms.saturating_sub(taken.at_ms))
    }

    pub(super) fn push(&mut self, step: JobStep) {
        // A worker and the bridge both say that a job is proved.
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

    /// The prover of `worker` reported its progress; a late report of a worker
    /// that has the job no more changes nothing.
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
