//! The claim loop: claim one job, prove it, store the result, publish the result until
//! the broker confirms it, acknowledge the job.
//!
//! A worker is several slots in one process, each with a prover of its own. One pure
//! function, `verdict`, decides about a failed attempt. **Invariants:** a job is
//! acknowledged only after the broker has confirmed its result. If a prover crashes, hangs,
//! panics or gives a wrong reply, the slot continues and the job is tried again, by another
//! worker if possible. This crate uses broker, ledger and prover only through their traits.

mod admission;
mod attempt;
mod config;
mod control;
mod measure;
mod outcome;
mod prove;
mod report;
mod slot;
#[cfg(test)]
mod tests;
mod verdict;

pub use admission::{Admission, FreeMemory};
pub use config::{Deadlines, Readiness, Slot, Stop, WorkerConfig, WorkerDeps};
pub use slot::run;
