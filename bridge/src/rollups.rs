//! Rollups under way, as far as their jobs tell: for the figures alone.
//!
//! A rollup is its inner rollups, then its root rollup, then its root verifier;
//! each begins when Falafel asks for it. Several bridges see each other's jobs
//! in the ledger, and the one that answers the root verifier records the whole.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use zkwhirl_job::{JobId, Kind};
use zkwhirl_telemetry::catalogue::bridge as metric;

use zkwhirl_ledger::{JobRecord, JobState};

/// Rollups that are remembered; Falafel makes one at a time.
const MOST: usize = 16;
/// Inner jobs that are remembered of each.
const INNERS: usize = 1_024;

/// The stages in their order, with the kind of job that begins each.
const STAGES: [(Kind, &str); 3] = [
    (Kind::TxRollup, "inner"),
    (Kind::RootRollup, "root"),
    (Kind::RootVerifier, "verifier"),
];

/// Rollups under way, by their ids.
#[derive(Debug, Default)]
pub(super) struct Rollups {
    open: BTreeMap<u32, Rollup>,
    /// What a job of each stage takes.
    expected: [Option<Expected>; 3],
}

/// Means that forget: of what jobs took, and of how far off that was.
#[derive(Debug, Clone, Copy, Default)]
struct Expected {
    mean: Duration,
    off: Duration,
}

/// What something will still take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Left {
    /// The expectation.
    pub time: Duration,
    /// How far off it may well be: what jobs' times were off their mean.
    pub give_or_take: Duration,
}

#[derive(Debug, Default)]
struct Rollup {
    /// When the first job of each stage was taken, since the Unix epoch.
    began_ms: [Option<u64>; 3],
    inner: BTreeSet<JobId>,
    done: BTreeSet<JobId>,
}

fn stage_of(job: &JobRecord) -> Option<(u32, usize)> {
    let stage = STAGES
        .iter()
        .position(|(kind, _)| job.kind == Some(*kind))?;
    Some((job.rollup_id?, stage))
}

impl Rollups {
    /// A job was taken, or is seen in the ledger.
    pub(super) fn saw(&mut self, job: &JobRecord) {
        let Some((id, stage)) = stage_of(job) else {
            return;
        };
        let rollup = self.open.entry(id).or_default();
        let began = rollup.began_ms[stage].get_or_insert(job.taken_at_ms);
        *began = job.taken_at_ms.min(*began);
        if stage == 0 && rollup.inner.len() < INNERS {
            rollup.inner.insert(job.id);
            if matches!(job.state, JobState::Proved | JobState::Delivered) {
                rollup.done.insert(job.id);
            }
        }
        while self.open.len() > MOST {
            self.open.pop_first();
        }
    }

    /// A job is proved; `proving` is what its prover took, 0 when none was
    /// needed.
    pub(super) fn proved(&mut self, job: &JobRecord, proving: Duration) {
        let Some((id, stage)) = stage_of(job) else {
            return;
        };
        self.saw(job);
        if let Some(rollup) = self.open.get_mut(&id)
            && rollup.inner.contains(&job.id)
        {
            rollup.done.insert(job.id);
        }
        if !proving.is_zero() {
            let expected = self.expected[stage].get_or_insert(Expected {
                mean: proving,
                off: Duration::ZERO,
            });
            let off = expected.mean.abs_diff(proving);
            expected.off = (expected.off * 3 + off) / 4;
            expected.mean = (expected.mean * 3 + proving) / 4;
        }
    }

    /// A ticket of a job was answered: with that of the root verifier its
    /// rollup ends.
    pub(super) fn delivered(&mut self, job: &JobRecord, now_ms: u64) {
        let Some((id, 2)) = stage_of(job) else {
            return;
        };
        let Some(rollup) = self.open.remove(&id) else {
            return;
        };
        let [Some(inner), Some(root), Some(verifier)] = rollup.began_ms else {
            return;
        };
        let moments = [inner, root, verifier, now_ms];
        let between = |from: u64, to: u64| Duration::from_millis(to.saturating_sub(from));
        metric::ROLLUP_DURATION.record([], between(inner, now_ms));
        for ((_, stage), pair) in STAGES.iter().zip(moments.windows(2)) {
            metric::ROLLUP_STAGE.record([stage], between(pair[0], pair[1]));
        }
    }

    /// Takes up the rollups of all `jobs` that are not done.
    pub(super) fn recall(&mut self, jobs: &[JobRecord]) {
        let waits = |job: &&JobRecord| !job.state.is_finished();
        let open: BTreeSet<_> = jobs.iter().filter(waits).filter_map(stage_of).collect();
        let open: BTreeSet<_> = open.into_iter().map(|(id, _)| id).collect();
        for job in jobs {
            if stage_of(job).is_some_and(|(id, _)| open.contains(&id)) {
                self.saw(job);
            }
        }
    }

    /// Sees what other bridges took. A rollup older than the newest of which
    /// no job is left will not go on.
    pub(super) fn refresh(&mut self, jobs: &[JobRecord]) {
        jobs.iter().for_each(|job| self.saw(job));
        let alive: BTreeSet<_> = jobs.iter().filter_map(stage_of).map(|(id, _)| id).collect();
        let newest = self.open.last_key_value().map(|(id, _)| *id);
        self.open
            .retain(|id, _| Some(*id) == newest || alive.contains(id));
    }

    /// Sets the figures; `slots` prove inner jobs.
    pub(super) fn show(&self, slots: usize, now_ms: u64) {
        for (stage, (_, name)) in STAGES.iter().enumerate() {
            let there = self.open.values().filter(|open| open.stage() == stage);
            metric::ROLLUPS.set([name], there.count() as f64);
        }
        let newest = self.open.last_key_value().map(|(_, rollup)| rollup);
        let eta = newest.and_then(|rollup| self.left(rollup, slots, now_ms));
        metric::ROLLUP_ETA.set([], eta.unwrap_or_default().time.as_secs_f64());
        metric::ROLLUP_PROGRESS.set([], newest.map_or(0.0, Rollup::progress));
    }

    /// What the rollup of an id will still take with so many slots; `None` when
    /// that is not known.
    pub(super) fn left_of(&self, id: u32, slots: usize, now_ms: u64) -> Option<Left> {
        self.left(self.open.get(&id)?, slots, now_ms)
    }

    /// What a rollup will still take; `None` when no job like those that are
    /// left was proved yet.
    fn left(&self, rollup: &Rollup, slots: usize, now_ms: u64) -> Option<Left> {
        let stage = rollup.stage();
        let open = (rollup.inner.len() - rollup.done.len()) as u32;
        let waves = open.div_ceil(u32::try_from(slots).unwrap_or(u32::MAX).max(1));
        let mut left = Left::default();
        if stage == 0 {
            let inner = self.expected[0].unwrap_or_default();
            left.time = inner.mean * waves;
            left.give_or_take = inner.off * waves;
        }
        if stage == 0 && open > 0 && left.time.is_zero() {
            return None;
        }
        for later in stage.max(1)..3 {
            let later = self.expected[later].unwrap_or_default();
            left.time += later.mean;
            left.give_or_take += later.off;
        }
        let since = rollup.began_ms[stage].filter(|_| stage > 0);
        let spent = since.map_or(0, |began| now_ms.saturating_sub(began));
        left.time = left.time.saturating_sub(Duration::from_millis(spent));
        Some(left)
    }
}

impl Rollup {
    /// The last stage that has begun.
    fn stage(&self) -> usize {
        self.began_ms.iter().rposition(Option::is_some).unwrap_or(0)
    }

    fn progress(&self) -> f64 {
        self.done.len() as f64 / self.inner.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
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
    fn a_rollup_goes_through_its_stages_and_says_how_long_still() {
        let mut rollups = Rollups::default();
        let seconds = Duration::from_secs;
        for number in 0..4 {
            rollups.saw(&job(number, Kind::TxRollup, 7, 1_000));
        }
        let all = |rollups: &Rollups, slots, now| rollups.left(&rollups.open[&7], slots, now);
        let left = |rollups: &Rollups, slots, now| all(rollups, slots, now).map(|left| left.time);
        assert_eq!(left(&rollups, 2, 1_000), None, "nothing was proved yet");
        rollups.proved(&job(0, Kind::TxRollup, 7, 1_000), seconds(10));
        // Three are left for two slots: two waves.
        assert_eq!(left(&rollups, 2, 11_000), Some(seconds(20)));
        assert_eq!(left(&rollups, 0, 11_000), Some(seconds(30)));
        // Another took 4 s longer: a fourth of that counts.
        rollups.proved(&job(1, Kind::TxRollup, 7, 1_000), seconds(14));
        let expected = Left {
            time: seconds(11),
            give_or_take: seconds(1),
        };
        assert_eq!(all(&rollups, 2, 12_000), Some(expected), "one wave");
        assert!((rollups.open[&7].progress() - 0.5).abs() < 1e-9);
        rollups.proved(&job(9, Kind::RootRollup, 6, 0), seconds(5));
        rollups.saw(&job(8, Kind::RootRollup, 7, 40_000));
        assert_eq!(rollups.open[&7].stage(), 1);
        assert_eq!(left(&rollups, 2, 42_000), Some(seconds(3)));
        rollups.refresh(&[]);
        assert_eq!(rollups.open.len(), 1, "rollup 6 is over");
        let verifier = job(10, Kind::RootVerifier, 7, 50_000);
        rollups.saw(&verifier);
        rollups.delivered(&verifier, 52_000);
        assert!(rollups.open.is_empty());
    }
}
