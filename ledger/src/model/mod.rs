//! One model of the fleet, for every view: see docs/ARCHITECTURE.md. It is for
//! looking: the ledger has the truth.

mod fleet;
mod rollup;
mod timeline;
mod times;

pub use fleet::{FleetModel, RollupTimeline};
pub use rollup::{JobProgress, RollupJob, RollupStages, RollupState, Stage, StageProgress};
pub use timeline::{JobRun, JobStep, JobTimeline, RunOutcome, RunPhase};
pub use times::{StageTimes, TimeLeft};
