//! One model of the fleet, for every view.
//!
//! [`FleetModel`] folds events of this process ([`crate::JobEvent`]) or of the
//! ledger's stream ([`crate::LedgerEvent`]) into a [`JobTimeline`] of each job:
//! its steps, and its runs on workers. [`RollupStages`] says how far a rollup
//! is, from its jobs; [`StageTimes`] estimates the time that is left. Bridge,
//! console, command line and demo read the same types. The model is for looking:
//! the ledger has the truth.

mod fleet;
mod rollup;
mod timeline;
mod times;

pub use fleet::{FleetModel, RollupTimeline};
pub use rollup::{JobProgress, RollupJob, RollupStages, RollupState, Stage, StageProgress};
pub use timeline::{JobRun, JobStep, JobTimeline, RunOutcome, RunPhase};
pub use times::{StageTimes, TimeLeft};
