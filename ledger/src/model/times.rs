use std::time::Duration;

use super::{RollupStages, Stage};

/// The proving times of each stage, learned from proved jobs: exponentially weighted means.
#[derive(Debug, Default)]
pub struct StageTimes([Option<StageTime>; 4]);

#[derive(Debug, Clone, Copy, Default)]
struct StageTime {
    mean: Duration,
    /// The mean absolute deviation.
    spread: Duration,
}

/// An estimate of the time that a rollup still needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeLeft {
    /// The expected time.
    pub time: Duration,
    /// The likely error of the expected time.
    pub give_or_take: Duration,
}

impl StageTimes {
    /// Adds a job of `stage` that a prover took `proving` for.
    pub fn learn(&mut self, stage: Stage, proving: Duration) {
        let time = self.0[stage as usize].get_or_insert(StageTime {
            mean: proving,
            spread: Duration::ZERO,
        });
        let off = time.mean.abs_diff(proving);
        time.spread = (time.spread * 3 + off) / 4;
        time.mean = (time.mean * 3 + proving) / 4;
    }

    /// Estimates the time that a rollup still needs after its claims, with `slots` for
    /// inner rollups. `None`: no inner rollup was proved yet.
    pub fn left(&self, stages: &RollupStages, slots: usize, now_ms: u64) -> Option<TimeLeft> {
        let time = |stage: Stage| self.0[stage as usize].unwrap_or_default();
        let current = stages.current().max(Stage::Inner);
        let mut left = TimeLeft::default();
        if current == Stage::Inner {
            let inner = &stages[Stage::Inner];
            let open = (inner.total - inner.done) as u32;
            let waves = open.div_ceil(u32::try_from(slots).unwrap_or(u32::MAX).max(1));
            left.time = time(Stage::Inner).mean * waves;
            left.give_or_take = time(Stage::Inner).spread * waves;
            if open > 0 && left.time.is_zero() {
                return None;
            }
        }
        for stage in [Stage::Root, Stage::Verifier] {
            if stage >= current {
                left.time += time(stage).mean;
                left.give_or_take += time(stage).spread;
            }
        }
        let since = stages[current].began_ms.filter(|_| current > Stage::Inner);
        let spent = since.map_or(0, |began| now_ms.saturating_sub(began));
        left.time = left.time.saturating_sub(Duration::from_millis(spent));
        Some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{JobProgress, RollupJob};

    #[test]
    fn what_is_left_follows_from_the_jobs_that_were_proved() {
        let seconds = Duration::from_secs;
        let job = |stage, taken_at_ms, progress| RollupJob {
            stage,
            taken_at_ms,
            progress,
        };
        let inner = |proved: usize| {
            let jobs = (0..4).map(|number| match number < proved {
                true => job(Stage::Inner, 1_000, JobProgress::Proved),
                false => job(Stage::Inner, 1_000, JobProgress::Waiting),
            });
            jobs.collect::<RollupStages>()
        };
        let time = |left: Option<TimeLeft>| left.map(|left| left.time);
        let mut times = StageTimes::default();
        assert_eq!(times.left(&inner(0), 2, 1_000), None, "no proof yet");
        times.learn(Stage::Inner, seconds(10));
        // Three are left for two slots: two waves.
        assert_eq!(time(times.left(&inner(1), 2, 11_000)), Some(seconds(20)));
        assert_eq!(time(times.left(&inner(1), 0, 11_000)), Some(seconds(30)));
        // Another took 4 s longer: a fourth of that counts.
        times.learn(Stage::Inner, seconds(14));
        let expected = TimeLeft {
            time: seconds(11),
            give_or_take: seconds(1),
        };
        assert_eq!(times.left(&inner(2), 2, 12_000), Some(expected));
        times.learn(Stage::Root, seconds(5));
        let proved = [(); 4].map(|()| job(Stage::Inner, 1_000, JobProgress::Proved));
        let root = job(Stage::Root, 40_000, JobProgress::Waiting);
        let stages: RollupStages = proved.into_iter().chain([root]).collect();
        assert_eq!(stages.current(), Stage::Root);
        let left = time(times.left(&stages, 2, 42_000));
        assert_eq!(left, Some(seconds(3)), "two of five seconds are over");
    }
}
