use std::collections::{BTreeMap, HashMap, VecDeque};

use zkwhirl_job::{JobId, Kind, Topic};

use super::{JobProgress, JobStep, JobTimeline, RollupJob, RollupStages, RollupState, Stage};
use crate::{
    EventName, JobRecord, LedgerEvent, SlotReport,
    events::{JobEvent, JobEventKind},
};

/// How many jobs a model remembers by default: those of four of Falafel's largest rollups.
const JOBS: usize = 8_192;

/// The timelines of the last jobs.
#[derive(Debug)]
pub struct FleetModel {
    jobs: HashMap<JobId, JobTimeline>,
    /// Jobs in the order of their first event.
    order: VecDeque<JobId>,
    limit: usize,
}

/// One rollup's jobs, in the order of their first event.
#[derive(Debug)]
pub struct RollupTimeline<'a> {
    /// The rollup's id.
    pub id: u32,
    /// The rollup's jobs.
    pub jobs: Vec<(JobId, &'a JobTimeline)>,
    /// The rollup's state.
    pub state: RollupState,
    /// The counts of the jobs of each stage.
    pub stages: RollupStages,
    /// When the answer of the rollup's root verifier was delivered, in milliseconds
    /// since the Unix epoch.
    pub ended_ms: Option<u64>,
}

impl Default for FleetModel {
    fn default() -> Self {
        Self::remembering(JOBS)
    }
}

impl FleetModel {
    /// Makes a model that remembers the newest `limit` jobs.
    pub fn remembering(limit: usize) -> Self {
        Self {
            jobs: HashMap::new(),
            order: VecDeque::new(),
            limit,
        }
    }

    /// All jobs, in the order of their first event.
    pub fn jobs(&self) -> impl DoubleEndedIterator<Item = (JobId, &JobTimeline)> {
        let timeline = |job: &JobId| Some((*job, self.jobs.get(job)?));
        self.order.iter().filter_map(timeline)
    }

    /// The timeline of a job, if it is remembered.
    pub fn job(&self, job: JobId) -> Option<&JobTimeline> {
        self.jobs.get(&job)
    }

    /// Applies an event of this process.
    pub fn apply(&mut self, event: &JobEvent) {
        let job = self.entry(event.job);
        job.kind = event.kind.or(job.kind);
        job.rollup_id = event.rollup_id.or(job.rollup_id);
        match &event.what {
            JobEventKind::Progress {
                worker,
                phase,
                fraction,
            } => job.report(worker, phase, *fraction, event.at_ms),
            what => {
                if let JobEventKind::Proved { duration, .. } = what {
                    job.prove_time = Some(*duration);
                }
                job.push(JobStep::of_event(event));
            }
        }
    }

    /// Applies an event of the ledger's stream. Events without a job, and names of
    /// another release, change nothing.
    pub fn apply_stored(&mut self, event: &LedgerEvent) {
        if let (Some(job), Some(step)) = (event.job, JobStep::of_ledger(event)) {
            self.entry(job).push(step);
        }
    }

    /// Applies a slot's report about the slot's job.
    pub fn apply_report(&mut self, slot: &SlotReport) {
        let Some(job) = slot.job.and_then(|job| self.jobs.get_mut(&job)) else {
            return;
        };
        job.kind = slot.kind.or(job.kind);
        if !slot.phase.is_empty() {
            job.report(&slot.slot, &slot.phase, slot.fraction, slot.at_ms);
        }
    }

    /// Sets a job's kind and rollup, which the ledger's stream does not contain.
    pub fn describe(&mut self, record: &JobRecord) {
        if let Some(job) = self.jobs.get_mut(&record.id) {
            job.kind = record.kind.or(job.kind);
            job.rollup_id = record.rollup_id.or(job.rollup_id);
        }
    }

    /// The jobs whose kind is not known yet.
    pub fn undescribed(&self) -> Vec<JobId> {
        let without = self.jobs().filter(|(_, job)| job.kind.is_none());
        without.map(|(id, _)| id).collect()
    }

    /// Counts the jobs of a topic that have an event of this name since `since_ms`.
    pub fn count(&self, topic: Topic, what: EventName, since_ms: u64) -> usize {
        let own = |job: &&JobTimeline| job.kind.is_some_and(|kind| kind.topic() == topic);
        let has = |job: &&JobTimeline| {
            let mut late = job.steps.iter().rev();
            late.any(|step| step.what == what && step.at_ms >= since_ms)
        };
        self.jobs.values().filter(own).filter(has).count()
    }

    /// The rollups, oldest first, and the claims without a rollup. A claim does not
    /// name its rollup: a claim belongs to the next rollup that begins.
    pub fn rollups(&self) -> (Vec<RollupTimeline<'_>>, Vec<(JobId, &JobTimeline)>) {
        let mut rollups: BTreeMap<u32, Vec<_>> = BTreeMap::new();
        let mut claims = Vec::new();
        for (id, job) in self.jobs() {
            match (job.kind, job.rollup_id) {
                (Some(Kind::Claim), _) => claims.push((id, job)),
                (Some(_), Some(rollup)) => {
                    let own = rollups.entry(rollup).or_default();
                    if own.is_empty() {
                        own.append(&mut claims);
                    }
                    own.push((id, job));
                }
                _ => {}
            }
        }
        let rollups = rollups.into_iter().map(|(id, jobs)| rollup(id, jobs));
        (rollups.collect(), claims)
    }

    fn entry(&mut self, job: JobId) -> &mut JobTimeline {
        if !self.jobs.contains_key(&job) {
            self.order.push_back(job);
            if self.order.len() > self.limit
                && let Some(oldest) = self.order.pop_front()
            {
                self.jobs.remove(&oldest);
            }
        }
        self.jobs.entry(job).or_default()
    }
}

fn rollup(id: u32, mut jobs: Vec<(JobId, &JobTimeline)>) -> RollupTimeline<'_> {
    let is_verifier = |job: &JobTimeline| job.kind == Some(Kind::RootVerifier);
    let mut verifiers = jobs.iter().filter(|(_, job)| is_verifier(job));
    let end = verifiers.find_map(|(_, job)| job.last(EventName::Delivered));
    let ended_ms = end.map(|step| step.at_ms);
    if ended_ms.is_some() {
        // The rollup did not wait for these claims: they are not its own.
        jobs.retain(|(_, job)| job.progress() == JobProgress::Proved);
    }
    let stages: RollupStages = jobs.iter().filter_map(|(_, job)| job.in_rollup()).collect();
    RollupTimeline {
        id,
        jobs,
        state: match ended_ms {
            Some(_) => RollupState::Settled,
            None if stages.halted() => RollupState::Halted,
            None => RollupState::Proving,
        },
        stages,
        ended_ms,
    }
}

impl JobTimeline {
    /// The job as its rollup counts it. `None`: the job's kind is part of no rollup.
    pub fn in_rollup(&self) -> Option<RollupJob> {
        Some(RollupJob {
            stage: self.kind.and_then(Stage::of)?,
            taken_at_ms: self.steps.first().map_or(0, |step| step.at_ms),
            progress: self.progress(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use zkwhirl_job::FailureClass;

    use super::*;
    use crate::model::{
        RunOutcome,
        timeline::{RUNS, STEPS},
    };

    const JOB: JobId = JobId([7; 32]);

    fn event(at_ms: u64, what: JobEventKind) -> JobEvent {
        JobEvent {
            at_ms,
            job: JOB,
            kind: Some(Kind::TxRollup),
            rollup_id: Some(3),
            what,
        }
    }

    /// A model that these events were folded into.
    fn told(events: impl IntoIterator<Item = (u64, JobEventKind)>) -> FleetModel {
        let mut model = FleetModel::default();
        for (at, what) in events {
            model.apply(&event(at, what));
        }
        model
    }

    fn claimed(worker: &str, attempt: u32) -> JobEventKind {
        JobEventKind::Claimed {
            worker: worker.into(),
            attempt,
        }
    }

    fn progress(worker: &str, phase: &'static str, fraction: f32) -> JobEventKind {
        JobEventKind::Progress {
            worker: worker.into(),
            phase,
            fraction,
        }
    }

    #[test]
    fn a_timeline_has_steps_and_runs_with_their_phases() {
        let failed = JobEventKind::Retrying {
            worker: "a".into(),
            attempt: 1,
            class: FailureClass::Prover,
            reason: "signal 9".into(),
        };
        let model = told([
            (10, claimed("a", 1)),
            (12, progress("a", "witness", 0.5)),
            (20, progress("a", "prove", 0.1)),
            (30, failed),
            (40, claimed("b", 2)),
            (41, progress("a", "verify", 1.0)),
            (42, progress("b", "prove", 0.2)),
        ]);
        let job = model.job(JOB).unwrap();
        let steps: Vec<_> = job.steps.iter().map(|step| step.what).collect();
        let claim = EventName::Claimed;
        assert_eq!(steps, [claim, EventName::Retrying, claim]);
        let failure = job.steps[1].text.as_deref();
        assert_eq!(failure, Some("prover: signal 9"), "the reason is kept");
        let [first, second] = &job.runs[..] else {
            panic!("two runs")
        };
        assert_eq!((first.to_ms, first.outcome), (Some(30), RunOutcome::Failed));
        let phases = &first.phases;
        assert_eq!(phases[0].to_ms, 20, "a phase ends where the next begins");
        assert_eq!((phases[1].name.as_str(), phases[1].to_ms), ("prove", 30));
        assert_eq!((second.to_ms, second.outcome), (None, RunOutcome::Running));
        assert_eq!(second.phases.len(), 1, "a late report of a changes nothing");
        assert_eq!(job.progress(), JobProgress::Running);
    }

    #[test]
    fn a_run_without_a_reported_end_is_lost_when_another_worker_claims_the_job() {
        let back = JobEventKind::HandedBack { worker: "b".into() };
        let events = [claimed("a", 1), claimed("b", 1), back, claimed("c", 1)];
        let model = told((0..).zip(events));
        let runs = model.job(JOB).unwrap().runs.iter();
        let runs: Vec<_> = runs.map(|run| (&run.worker[..], run.outcome)).collect();
        let expected = [
            ("a", RunOutcome::Lost),
            ("b", RunOutcome::HandedBack),
            ("c", RunOutcome::Running),
        ];
        assert_eq!(runs, expected);
    }

    #[test]
    fn memory_is_bounded_in_jobs_steps_and_runs() {
        let mut model = FleetModel::default();
        for number in 0..JOBS as u64 + 10 {
            let mut event = event(number, claimed("a", 1));
            event.job.0[..8].copy_from_slice(&number.to_be_bytes());
            model.apply(&event);
        }
        assert_eq!(model.jobs.len(), JOBS);
        for number in 0..10 * STEPS as u64 {
            model.apply(&event(number, claimed("a", 1)));
        }
        let job = model.job(JOB).unwrap();
        assert_eq!((job.steps.len(), job.runs.len()), (STEPS, RUNS));
    }

    /// The stream of Redis tells the same life by names; a name of another
    /// release, and what happens to no job, change nothing.
    #[test]
    fn the_ledgers_stream_is_folded_by_its_names() {
        let mut model = FleetModel::default();
        for (at, what, details) in [
            (10, "taken", &[("upstream", "inner")][..]),
            (20, "queued", &[]),
            (30, "claimed", &[("worker", "a"), ("attempt", "1")]),
            (40, "proving", &[("worker", "a")]),
            (50, "teleported", &[]),
            (60, "result", &[]),
            (70, "proved", &[("attempt", "1")]),
            (80, "delivered", &[]),
            (90, "closed", &[("ticket", "1")]),
        ] {
            let details = details.iter();
            let details = details.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            model.apply_stored(&LedgerEvent {
                cursor: String::new(),
                at_ms: at,
                what: what.to_owned(),
                job: Some(JOB),
                detail: details.collect::<BTreeMap<_, _>>(),
            });
        }
        let job = model.job(JOB).unwrap();
        let steps: Vec<_> = job.steps.iter().map(|step| step.what.name()).collect();
        let told = "taken queued claimed proving proved delivered";
        assert_eq!(steps.join(" "), told);
        assert_eq!(job.steps[0].text.as_deref(), Some("inner"));
        assert_eq!(job.waited_ms(), Some(20));
        assert_eq!(job.progress(), JobProgress::Proved);
        assert_eq!(job.runs[0].length_ms(), 40);
        assert_eq!(model.undescribed(), [JOB]);
    }
}
