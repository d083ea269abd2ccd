//! The state of a demo run: the model of the fleet and the simulated Falafel's
//! events, for the live view, the log lines and the closing table.

use std::time::Duration;

use zkwhirl_falafel::FalafelEvent;
use zkwhirl_job::{JobId, Kind, clock};
use zkwhirl_ledger::{
    EventName, JobEvent, JobEventKind,
    model::{FleetModel, JobProgress, JobRun, JobTimeline, RunOutcome, Stage},
};

use crate::ui;

#[derive(Debug)]
pub(super) struct DemoProgress {
    fleet: FleetModel,
    pub(super) slots: Vec<String>,
    pub(super) rollups: Vec<DemoRollup>,
    /// Number of inner rollups per rollup.
    inners: usize,
    /// Replies that the simulated Falafel checked and accepted.
    pub(super) accepted: u64,
    pub(super) refused: Vec<String>,
}

#[derive(Debug)]
pub(super) struct DemoRollup {
    pub(super) id: u32,
    began_ms: u64,
    claims: usize,
    /// How long the settled rollup took, and the bytes of its final buffer.
    pub(super) settled: Option<(Duration, usize)>,
}

/// The jobs of one stage, which Falafel requests together.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct JobBatch {
    /// Number of jobs whose reply Falafel accepted.
    pub(super) done: usize,
    /// Number of jobs that the stage will have.
    pub(super) of: usize,
    pub(super) started: bool,
    /// Time from the first job taken to the last job delivered; `None` until all
    /// jobs are done.
    pub(super) took: Option<Duration>,
}

type Jobs<'a> = Vec<(JobId, &'a JobTimeline)>;

impl DemoProgress {
    /// An empty run with these slots and `inners` inner rollups per rollup.
    pub(super) fn new(slots: Vec<String>, inners: usize) -> Self {
        Self {
            // The closing table counts every job of the run.
            fleet: FleetModel::remembering(usize::MAX),
            slots,
            rollups: Vec::new(),
            inners,
            accepted: 0,
            refused: Vec::new(),
        }
    }

    /// Applies an event of the simulated Falafel; returns a line to print, if any.
    pub(super) fn on_falafel(&mut self, event: &FalafelEvent) -> Option<String> {
        let inners = self.inners;
        match event {
            FalafelEvent::RollupStarted { rollup_id, claims } => {
                self.rollups.push(DemoRollup {
                    id: *rollup_id,
                    began_ms: clock::now_ms(),
                    claims: *claims,
                    settled: None,
                });
                Some(format!(
                    "rollup {rollup_id} started: {claims} claims, {inners} inner rollups, root, verifier"
                ))
            }
            FalafelEvent::JobResolved { refusal, .. } => {
                let Some(reason) = refusal else {
                    self.accepted += 1;
                    return None;
                };
                self.refused.push(reason.clone());
                Some(format!("falafel refused a reply: {reason}"))
            }
            FalafelEvent::RollupSettled {
                rollup_id,
                final_bytes,
                proofs,
                ..
            } => {
                let rollup = self.rollups.iter_mut().find(|r| r.id == *rollup_id)?;
                let took = clock::now_ms().saturating_sub(rollup.began_ms);
                let took = Duration::from_millis(took);
                let final_bytes = *final_bytes;
                rollup.settled = Some((took, final_bytes));
                let checked = match proofs {
                    0 => String::new(),
                    proofs => format!(" and all {proofs} proofs in it"),
                };
                let (took, bytes) = (ui::seconds(took), ui::grouped(final_bytes as u64));
                Some(format!(
                    "rollup {rollup_id}  settled in {took} · final buffer {bytes} B · \
                     every public input{checked} checked by Falafel"
                ))
            }
            FalafelEvent::Ready => {
                Some("falafel has both client keys and accepts transactions".into())
            }
            FalafelEvent::PipelineHalted { reason, .. } => {
                Some(format!("falafel's pipeline halted: {reason}"))
            }
            _ => None,
        }
    }

    /// Applies an event of the bridge or a worker; returns a line to print, if any.
    pub(super) fn on_job(&mut self, event: &JobEvent) -> Option<String> {
        self.fleet.apply(event);
        let id = event.job.short();
        let kind = event.kind.map_or("job", Kind::name);
        match &event.what {
            JobEventKind::Claimed { worker, attempt } => {
                Some(format!("{worker} claimed {kind} {id} (attempt {attempt})"))
            }
            // Not for the bridge, which answers jobs for keys that it has stored.
            JobEventKind::Proved {
                worker, duration, ..
            } if self.slots.contains(worker) => {
                let took = ui::seconds(*duration);
                Some(format!("{worker} proved {kind} {id} in {took}"))
            }
            JobEventKind::Retrying { reason, .. } => {
                Some(format!("{kind} {id} will be retried: {reason}"))
            }
            JobEventKind::Dead { reason } => {
                Some(format!("{kind} {id} is a dead letter: {reason}"))
            }
            _ => None,
        }
    }

    /// True if every job is delivered or a dead letter, and at least one job is a
    /// dead letter.
    pub(super) fn only_parked_jobs_are_left(&self) -> bool {
        let ended = |job: &JobTimeline| is_parked(job) || is_delivered(job);
        self.jobs_of(&[]).any(is_parked) && self.jobs_of(&[]).all(ended)
    }

    pub(super) fn parked(&self) -> Vec<String> {
        let parked = self.jobs_of(&[]).filter(|job| is_parked(job));
        let deaths = parked.filter_map(|job| job.last(EventName::Dead));
        deaths.filter_map(|step| step.text.clone()).collect()
    }

    /// The jobs of these kinds; all jobs if `kinds` is empty.
    pub(super) fn jobs_of<'a>(
        &'a self,
        kinds: &'a [Kind],
    ) -> impl Iterator<Item = &'a JobTimeline> {
        let jobs = self.fleet.jobs().map(|(_, job)| job);
        jobs.filter(|job| kinds.is_empty() || job.kind.is_some_and(|kind| kinds.contains(&kind)))
    }

    /// The proving times of the proved jobs of these kinds, sorted.
    pub(super) fn prove_times(&self, kinds: &[Kind]) -> Vec<Duration> {
        let times = self.jobs_of(kinds).filter_map(|job| job.prove_time);
        let mut times: Vec<_> = times.collect();
        times.sort();
        times
    }

    /// The times that the claimed jobs of these kinds waited for a worker, sorted.
    pub(super) fn waits(&self, kinds: &[Kind]) -> Vec<Duration> {
        let waited = self.jobs_of(kinds).filter_map(JobTimeline::waited_ms);
        let mut waits: Vec<_> = waited.map(Duration::from_millis).collect();
        waits.sort();
        waits
    }

    /// The two jobs for the clients' verification keys.
    pub(super) fn client_keys(&self) -> JobBatch {
        JobBatch::of(2, self.jobs_of(&[Kind::JoinSplitVk, Kind::AccountVk]))
    }

    /// The stages of a rollup, in order.
    pub(super) fn stages(&self, rollup: &DemoRollup) -> [JobBatch; 4] {
        let (rollups, claims) = self.fleet.rollups();
        let known = rollups.into_iter().find(|known| known.id == rollup.id);
        let jobs: Jobs<'_> = known.map_or(claims, |known| known.jobs);
        let planned = [rollup.claims, self.inners, 1, 1];
        Stage::ALL.map(|stage| {
            let own = |job: &&JobTimeline| job.kind.and_then(Stage::of) == Some(stage);
            let own = jobs.iter().map(|(_, job)| *job).filter(own);
            JobBatch::of(planned[stage as usize], own)
        })
    }

    /// The running jobs and their current attempts, the newest first.
    pub(super) fn running(&self) -> impl Iterator<Item = (JobId, &JobTimeline, &JobRun)> {
        let all = self.fleet.jobs().rev();
        all.filter_map(|(id, job)| Some((id, job, job.running()?)))
    }

    pub(super) fn proved_by(&self, slot: &str) -> usize {
        let runs = self.fleet.jobs().flat_map(|(_, job)| &job.runs);
        runs.filter(|run| run.outcome == RunOutcome::Proved && run.worker == slot)
            .count()
    }
}

impl JobBatch {
    fn of<'a>(planned: usize, jobs: impl Iterator<Item = &'a JobTimeline>) -> Self {
        let jobs: Vec<_> = jobs.collect();
        let ends = jobs.iter().filter_map(|job| job.last(EventName::Delivered));
        let ends: Vec<_> = ends.collect();
        let (of, done) = (planned.max(jobs.len()), ends.len());
        let began = jobs.iter().filter_map(|job| job.steps.first());
        let began = began.map(|step| step.at_ms).min();
        let ended = ends.iter().map(|step| step.at_ms).max();
        let took = || Some(Duration::from_millis(ended?.saturating_sub(began?)));
        Self {
            done,
            of,
            started: !jobs.is_empty(),
            took: if done >= of { took() } else { None },
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.done >= self.of
    }
}

/// True if the job's reply was delivered to the simulated Falafel.
pub(super) fn is_delivered(job: &JobTimeline) -> bool {
    job.last(EventName::Delivered).is_some()
}

fn is_parked(job: &JobTimeline) -> bool {
    job.progress() == JobProgress::Dead
}
