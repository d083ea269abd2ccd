//! The model of the fleet that every view shows: see docs/ARCHITECTURE.md. The
//! ledger's records are the truth.

mod fleet;
mod rollup;
mod timeline;
mod times;

pub use fleet::{FleetModel, RollupTimeline};
pub use rollup::{JobProgress, RollupJob, RollupStages, RollupState, Stage, StageProgress};
pub use timeline::{JobRun, JobStep, JobTimeline, RunOutcome, RunPhase};
pub use times::{StageTimes, TimeLeft};
