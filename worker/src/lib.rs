//! The claim loop: claim one job, prove it, store the result, have it
//! confirmed, acknowledge.
//!
//! A worker is several slots in one process, each with a prover of its own.
//! What becomes of a failed attempt is decided by one pure function,
//! `verdict`. **Invariants:** a job is acknowledged only after its result
//! was confirmed; whatever a prover does (crash, hang, panic, nonsense), the
//! slot lives on and the job is tried again, elsewhere where possible; nothing
//! here knows AMQP, Redis or arithmetic, only the traits.

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
