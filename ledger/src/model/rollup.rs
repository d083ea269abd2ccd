use std::ops::Index;

use serde::{Deserialize, Serialize};
use zkwhirl_job::{Kind, named};

named! {
    /// A stage of a rollup, in the order of Falafel's pipeline.
    pub enum Stage {
        /// The claims of deposits into finished bridge interactions.
        Claims = "claims",
        /// The inner rollups.
        Inner = "inner",
        /// The root rollup.
        Root = "root",
        /// The root verifier.
        Verifier = "verifier",
    }
}

/// The progress of a job, as its rollup counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobProgress {
    /// The job waits for a worker.
    Waiting,
    /// A worker has the job.
    Running,
    /// The job has a proof.
    Proved,
    /// The job is a dead letter.
    Dead,
}

named! {
    /// The state of a rollup.
    pub enum RollupState {
        /// The rollup's jobs are being proved.
        Proving = "proving",
        /// One of the rollup's jobs is a dead letter, which waits for an operator.
        Halted = "halted",
        /// The answer of the rollup's root verifier was delivered.
        Settled = "settled",
    }
}

/// A job, as its rollup counts it.
#[derive(Debug, Clone, Copy)]
pub struct RollupJob {
    /// The job's stage.
    pub stage: Stage,
    /// When the job was taken, in milliseconds since the Unix epoch.
    pub taken_at_ms: u64,
    /// The job's progress.
    pub progress: JobProgress,
}

/// The counts of the jobs of one stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageProgress {
    /// How many jobs Falafel has requested.
    pub total: usize,
    /// How many jobs are proved.
    pub done: usize,
    /// How many jobs workers have.
    pub running: usize,
    /// How many jobs are dead letters.
    pub dead: usize,
    /// When the stage's first job was taken, in milliseconds since the Unix epoch.
    #[serde(skip)]
    pub began_ms: Option<u64>,
}

/// The counts of the stages of one rollup.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RollupStages([StageProgress; 4]);

impl Stage {
    /// The stage of a kind's jobs. `None`: jobs of the kind are part of no rollup.
    pub fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Claim => Some(Self::Claims),
            Kind::TxRollup => Some(Self::Inner),
            Kind::RootRollup => Some(Self::Root),
            Kind::RootVerifier => Some(Self::Verifier),
            _ => None,
        }
    }
}

impl RollupStages {
    /// The rollup's current stage: the last stage that has begun.
    pub fn current(&self) -> Stage {
        let begun = |stage: &Stage| self[*stage].total > 0;
        let last = Stage::ALL.into_iter().rev().find(begun);
        last.unwrap_or(Stage::Claims)
    }

    pub(super) fn halted(&self) -> bool {
        self.0.iter().any(|stage| stage.dead > 0)
    }
}

impl FromIterator<RollupJob> for RollupStages {
    fn from_iter<I: IntoIterator<Item = RollupJob>>(jobs: I) -> Self {
        let mut stages = Self::default();
        for job in jobs {
            let stage = &mut stages.0[job.stage as usize];
            stage.total += 1;
            match job.progress {
                JobProgress::Waiting => {}
                JobProgress::Running => stage.running += 1,
                JobProgress::Proved => stage.done += 1,
                JobProgress::Dead => stage.dead += 1,
            }
            let began = stage.began_ms.get_or_insert(job.taken_at_ms);
            *began = job.taken_at_ms.min(*began);
        }
        stages
    }
}

impl Index<Stage> for RollupStages {
    type Output = StageProgress;

    fn index(&self, stage: Stage) -> &StageProgress {
        &self.0[stage as usize]
    }
}
