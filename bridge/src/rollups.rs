//! The metrics of rollups under way, and the estimate of the time they still need.
//!
//! Several bridges see each other's jobs in the ledger; the bridge that delivers
//! the root verifier's answer records the whole rollup.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use zkwhirl_job::JobId;
use zkwhirl_ledger::{
    JobRecord, JobState,
    model::{JobProgress, RollupJob, RollupStages, Stage, StageTimes, TimeLeft},
};
use zkwhirl_telemetry::catalogue::bridge as metric;

/// How many rollups are remembered; Falafel makes one at a time.
const ROLLUPS: usize = 16;
/// How many jobs of each rollup are remembered.
const JOBS: usize = 1_026;

/// The stages that have metrics. A claim does not name its rollup.
const STAGES: [Stage; 3] = [Stage::Inner, Stage::Root, Stage::Verifier];

/// The unfinished rollups, by their ids.
#[derive(Debug, Default)]
pub(crate) struct OpenRollups {
    open: BTreeMap<u32, BTreeMap<JobId, RollupJob>>,
    times: StageTimes,
}

fn in_rollup(job: &JobRecord) -> Option<(u32, RollupJob)> {
    let in_rollup = RollupJob {
        stage: Stage::of(job.kind?)?,
        taken_at_ms: job.taken_at_ms,
        progress: match job.state {
            JobState::Proved | JobState::Delivered => JobProgress::Proved,
            _ => JobProgress::Waiting,
        },
    };
    Some((job.rollup_id?, in_rollup))
}

fn ids<'a>(jobs: impl IntoIterator<Item = &'a JobRecord>) -> BTreeSet<u32> {
    let ids = jobs.into_iter().filter_map(in_rollup);
    ids.map(|(id, _)| id).collect()
}

impl OpenRollups {
    /// Records a job that was taken, or that is in the ledger.
    pub(crate) fn saw(&mut self, job: &JobRecord) {
        let Some((id, seen)) = in_rollup(job) else {
            return;
        };
        let jobs = self.open.entry(id).or_default();
        if let Some(known) = jobs.get_mut(&job.id) {
            known.taken_at_ms = known.taken_at_ms.min(seen.taken_at_ms);
            if seen.progress == JobProgress::Proved {
                known.progress = seen.progress;
            }
        } else if jobs.len() < JOBS {
            jobs.insert(job.id, seen);
        }
        while self.open.len() > ROLLUPS {
            self.open.pop_first();
        }
    }

    /// Records that a job is proved; `proving` is how long its prover took, 0 without a
    /// prover.
    pub(crate) fn proved(&mut self, job: &JobRecord, proving: Duration) {
        let Some((id, RollupJob { stage, .. })) = in_rollup(job) else {
            return;
        };
        self.saw(job);
        let jobs = self.open.get_mut(&id);
        if let Some(known) = jobs.and_then(|jobs| jobs.get_mut(&job.id)) {
            known.progress = JobProgress::Proved;
        }
        if !proving.is_zero() {
            self.times.learn(stage, proving);
        }
    }

    /// Records that a ticket of a job was answered. A root verifier's ends its rollup.
    pub(crate) fn delivered(&mut self, job: &JobRecord, now_ms: u64) {
        let Some((id, RollupJob { stage, .. })) = in_rollup(job) else {
            return;
        };
        if stage != Stage::Verifier {
            return;
        }
        let Some(stages) = self.stages(id) else {
            return;
        };
        self.open.remove(&id);
        let [Some(inner), Some(root), Some(verifier)] = STAGES.map(|stage| stages[stage].began_ms)
        else {
            return;
        };
        let moments = [inner, root, verifier, now_ms];
        let between = |from: u64, to: u64| Duration::from_millis(to.saturating_sub(from));
        metric::ROLLUP_DURATION.record([], between(inner, now_ms));
        for (stage, pair) in STAGES.iter().zip(moments.windows(2)) {
            metric::ROLLUP_STAGE.record([stage.name()], between(pair[0], pair[1]));
        }
    }

    /// Records the rollups that have unfinished jobs in `jobs`.
    pub(crate) fn recall(&mut self, jobs: &[JobRecord]) {
        let open = ids(jobs.iter().filter(|job| !job.state.is_finished()));
        for job in jobs {
            if job.rollup_id.is_some_and(|id| open.contains(&id)) {
                self.saw(job);
            }
        }
    }

    /// Records the jobs of other bridges. Drops a rollup that is not the newest and has
    /// no job left: it will not continue.
    pub(crate) fn refresh(&mut self, jobs: &[JobRecord]) {
        jobs.iter().for_each(|job| self.saw(job));
        let alive = ids(jobs);
        let newest = self.open.last_key_value().map(|(id, _)| *id);
        self.open
            .retain(|id, _| Some(*id) == newest || alive.contains(id));
    }

    /// Sets the metrics; `slots` is the number of slots for inner jobs.
    pub(crate) fn show(&self, slots: usize, now_ms: u64) {
        let all: Vec<_> = self.open.keys().filter_map(|id| self.stages(*id)).collect();
        for stage in STAGES {
            let there = all.iter().filter(|stages| stages.current() == stage);
            metric::ROLLUPS.set([stage.name()], there.count() as f64);
        }
        let newest = all.last();
        let eta = newest.and_then(|stages| self.times.left(stages, slots, now_ms));
        metric::ROLLUP_ETA.set([], eta.unwrap_or_default().time.as_secs_f64());
        let inner = newest.map_or_else(Default::default, |stages| stages[Stage::Inner]);
        let progress = inner.done as f64 / inner.total.max(1) as f64;
        metric::ROLLUP_PROGRESS.set([], progress);
    }

    /// Estimates the time that the rollup of an id still needs with so many slots.
    /// `None`: unknown.
    pub(crate) fn left_of(&self, id: u32, slots: usize, now_ms: u64) -> Option<TimeLeft> {
        self.times.left(&self.stages(id)?, slots, now_ms)
    }

    fn stages(&self, id: u32) -> Option<RollupStages> {
        Some(self.open.get(&id)?.values().copied().collect())
    }
}

#[cfg(test)]
mod tests {
    use zkwhirl_job::Kind;

    use super::*;

    fn job(number: u8, kind: Kind, rollup_id: u32, taken_at_ms: u64) -> JobRecord {
        JobRecord {
            id: JobId([number; 32]),
            command: 0,
            kind: Some(kind),
            rollup_id: Some(rollup_id),
            request_bytes: 1,
            taken_at_ms,
            changed_at_ms: taken_at_ms,
            state: JobState::Queued,
            attempt: 1,
            worker: None,
            reason: None,
        }
    }

    #[test]
    fn a_rollup_goes_through_its_stages_until_its_verifier_is_delivered() {
        let mut rollups = OpenRollups::default();
        for number in 0..4 {
            rollups.saw(&job(number, Kind::TxRollup, 7, 1_000));
        }
        rollups.proved(&job(0, Kind::TxRollup, 7, 1_000), Duration::from_secs(10));
        rollups.proved(&job(1, Kind::TxRollup, 7, 1_000), Duration::from_secs(10));
        // The record in the ledger is older than the proof.
        rollups.saw(&job(1, Kind::TxRollup, 7, 1_000));
        let inner = rollups.stages(7).unwrap()[Stage::Inner];
        assert_eq!((inner.done, inner.total), (2, 4));
        let left = rollups.left_of(7, 2, 12_000).map(|left| left.time);
        assert_eq!(left, Some(Duration::from_secs(10)), "one wave");
        rollups.proved(&job(9, Kind::RootRollup, 6, 0), Duration::from_secs(5));
        rollups.saw(&job(8, Kind::RootRollup, 7, 40_000));
        assert_eq!(rollups.stages(7).unwrap().current(), Stage::Root);
        rollups.refresh(&[]);
        assert_eq!(rollups.open.len(), 1, "rollup 6 is over");
        let verifier = job(10, Kind::RootVerifier, 7, 50_000);
        rollups.saw(&verifier);
        rollups.delivered(&verifier, 52_000);
        assert!(rollups.open.is_empty());
    }
}
