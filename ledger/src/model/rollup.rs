use std::ops::Index;

use serde::{Deserialize, Serialize};
use zkwhirl_job::{Kind, named};

named! {
    /// A stage of a rollup, in the order of Falafel's pipeline.
    pub enum Stage {
        /// Claims of deposits into finished bridge interactions.
        Claims = "claims",
        /// Inner rollups.
        Inner = "inner",
        /// The root rollup.
        Root = "root",
        /// The root verifier.
        Verifier = "verifier",
    }
}

/// How far a job is, as its rollup counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobProgress {
    /// It waits for a worker.
    Waiting,
    /// A worker has it.
    Running,
    /// It has a proof.
    Proved,
    /// It is a dead letter.
    Dead,
}

named! {
    /// How far a rollup is.
    pub enum RollupState {
        /// Its jobs are proved.
        Proving = "proving",
        /// It waits for an operator: one of its jobs is a dead letter.
        Halted = "halted",
        /// The answer to its root verifier was delivered.
        Settled = "settled",
    }
}

/// A job, as its rollup counts it.
#[derive(Debug, Clone, Copy)]
pub struct RollupJob {
    /// Its stage.
    pub stage: Stage,
    /// When it was taken, in milliseconds since the Unix epoch.
    pub taken_at_ms: u64,
    /// How far it is.
    pub progress: JobProgress,
}

/// The jobs of one stage, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageProgress {
    /// Jobs that were asked for.
    pub total: usize,
    /// Jobs that are proved.
    pub done: usize,
    /// Jobs in workers' hands.
    pub running: usize,
    /// Jobs in the dead letters.
    pub dead: usize,
    /// When the first was taken, in milliseconds since the Unix epoch.
    #[serde(skip)]
    pub began_ms: Option<u64>,
}

/// The stages of one rollup.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RollupStages([StageProgress; 4]);

impl Stage {
    /// The stage of a kind's jobs; `None`: they are part of no rollup.
    pub fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Claim => Some(Self::Claims),
            Kind::TxRollup => Some(Self::Inner),
            Kind::RootRollup => Some(Self::Root),
            Kind::RootVerifier => Some(Self::Verifier),
            Kind::JoinSplitVk | Kind::AccountVk => None,
        }
    }
}

impl RollupStages {
    /// The stage that the rollup is in: the last that has begun.
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
