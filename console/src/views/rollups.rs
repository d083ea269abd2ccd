//! Rollups as pictures.

use serde::{Deserialize, Serialize};
use zkwhirl_ledger::model::{JobRun, StageProgress};

/// A rollup as a picture.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RollupView {
    /// Its id.
    pub id: u32,
    /// `proving`, `halted` by a dead letter, or `settled`.
    pub state: String,
    /// When its first job was taken.
    pub began_ms: u64,
    /// When the answer to its root verifier was delivered.
    pub ended_ms: Option<u64>,
    /// How long it still needs, as an estimate.
    pub left_ms: Option<u64>,
    /// How far off that may well be.
    pub give_or_take_ms: Option<u64>,
    /// The same estimate with twice as many slots for inner jobs.
    pub left_with_twice_ms: Option<u64>,
    /// Slots that take inner jobs.
    pub slots: usize,
    /// Attempts that failed.
    pub retries: usize,
    /// How long the failed attempts took together.
    pub wasted_ms: u64,
    /// Its stages, in order.
    pub stages: Vec<StageView>,
    /// Its jobs' runs.
    pub bars: Vec<RunBar>,
    /// The jobs on the critical path, in order: they decided how long it took.
    pub critical: Vec<String>,
}

/// A stage of a rollup.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StageView {
    /// `claims`, `inner`, `root`, `verifier`.
    pub name: String,
    /// Its jobs, counted.
    #[serde(flatten)]
    pub jobs: StageProgress,
}

/// A run of a job of a rollup.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunBar {
    /// The job.
    pub job: String,
    /// Its kind.
    pub kind: String,
    /// Its stage.
    pub stage: String,
    /// The run.
    #[serde(flatten)]
    pub run: JobRun,
}
