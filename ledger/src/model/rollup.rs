use std::ops::Index;

use zkwhirl_job::Kind;

/// A stage of a rollup, in the order of Falafel's pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Claims of deposits into finished bridge interactions.
    Claims,
    /// Inner rollups.
    Inner,
    /// The root rollup.
    Root,
    /// The root verifier.
    Verifier,
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

/// How far a rollup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RollupState {
    /// Its jobs are proved.
    Proving,
    /// It waits for an operator: one of its jobs is a dead letter.
    Halted,
    /// The answer to its root verifier was delivered.
    Settled,
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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
    pub began_ms: Option<u64>,
}

/// The stages of one rollup.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RollupStages([StageProgress; 4]);

impl Stage {
    /// All stages, in order.
    pub const ALL: [Self; 4] = [Self::Claims, Self::Inner, Self::Root, Self::Verifier];

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

    /// Its name in views and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Claims => "claims",
            Self::Inner => "inner",
            Self::Root => "root",
            Self::Verifier => "verifier",
        }
    }
}

impl RollupState {
    /// Its name in views.
    pub fn name(self) -> &'static str {
        match self {
            Self::Proving => "proving",
            Self::Halted => "halted",
            Self::Settled => "settled",
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

    /// Whether one of its jobs is a dead letter.
    pub fn halted(&self) -> bool {
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
