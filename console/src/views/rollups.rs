//! Views of rollups.

use serde::{Deserialize, Serialize};
use zkwhirl_ledger::model::{JobRun, StageProgress};

/// A rollup with its runs, for a timeline.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RollupView {
    /// The rollup's id.
    pub id: u32,
    /// `proving`, `halted` by a dead letter, or `settled`.
    pub state: String,
    /// When the rollup's first job was taken.
    pub began_ms: u64,
    /// When the reply of the rollup's root verifier was delivered.
    pub ended_ms: Option<u64>,
    /// The estimated time until the rollup is settled.
    pub left_ms: Option<u64>,
    /// The expected error of `left_ms`, in either direction.
    pub give_or_take_ms: Option<u64>,
    /// `left_ms` if there were twice as many slots for inner jobs.
    pub left_with_twice_ms: Option<u64>,
    /// The number of slots that claim inner jobs.
    pub slots: usize,
    /// The number of failed attempts.
    pub retries: usize,
    /// The total duration of the failed attempts.
    pub wasted_ms: u64,
    /// The rollup's stages, in order.
    pub stages: Vec<StageView>,
    /// The runs of the rollup's jobs, oldest first.
    pub bars: Vec<RunBar>,
    /// The ids of the jobs that determined the rollup's duration, in order.
    pub critical: Vec<String>,
}

/// A stage of a rollup.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StageView {
    /// `claims`, `inner`, `root`, `verifier`.
    pub name: String,
    /// The numbers of the stage's jobs by progress.
    #[serde(flatten)]
    pub jobs: StageProgress,
}

/// A run of a job of a rollup.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunBar {
    /// The job's id.
    pub job: String,
    /// The job's kind.
    pub kind: String,
    /// The name of the job's stage.
    pub stage: String,
    /// The run's worker, times, phases and outcome.
    #[serde(flatten)]
    pub run: JobRun,
}
