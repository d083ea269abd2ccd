//! Rollups as pictures.

use serde::{Deserialize, Serialize};

use super::Run;

/// A rollup as a picture.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rollup {
    /// Its id.
    pub id: u32,
    /// `proving`, `halted` by a dead letter, or `settled`.
    pub state: String,
    /// When its first job was taken.
    pub began_ms: u64,
    /// When the answer to its root verifier was delivered.
    pub ended_ms: Option<u64>,
    /// How long it will still take.
    pub left_ms: Option<u64>,
    /// How far off that may well be.
    pub give_or_take_ms: Option<u64>,
    /// How long with twice as many slots for inner jobs.
    pub left_with_twice_ms: Option<u64>,
    /// Slots that take inner jobs.
    pub slots: usize,
    /// Attempts that failed.
    pub retries: usize,
    /// What these took.
    pub wasted_ms: u64,
    /// Its stages, in order.
    pub stages: Vec<Stage>,
    /// Its jobs' runs.
    pub bars: Vec<Bar>,
    /// The jobs that decided how long it took, in order: see the docs.
    pub critical: Vec<String>,
}

/// A stage of a rollup.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stage {
    /// `claims`, `inner`, `root`, `verifier`.
    pub name: String,
    /// Jobs that were asked for.
    pub total: usize,
    /// Jobs that are proved.
    pub done: usize,
    /// Jobs in workers' hands.
    pub running: usize,
    /// Jobs in the dead letters.
    pub dead: usize,
}

/// A run of a job of a rollup.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bar {
    /// The job.
    pub job: String,
    /// Its kind.
    pub kind: String,
    /// Its stage.
    pub stage: String,
    /// The run.
    #[serde(flatten)]
    pub run: Run,
}
