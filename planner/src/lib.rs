//! The fleet planner: what a fleet of some size would do, before it is paid
//! for.
//!
//! [`hpa`] is Kubernetes' HorizontalPodAutoscaler to the letter, read from the
//! very manifest that is applied. [`simulation`] puts pods, queues and rollups
//! around it: pods take time to start, jobs wait for one another, machines are
//! lost, and the autoscaler sees the queue some time after the fact.
//! [`plan`](mod@plan) asks the operator's questions of it, [`picture`] draws the
//! answers. Nothing here does I/O, and equal seeds give equal answers.

pub mod golden;
pub mod hpa;
pub mod picture;
pub mod plan;
pub mod quantity;
pub mod simulation;
pub mod trace;

pub use hpa::{Autoscaler, Hpa, Observed};
pub use simulation::{Outcome, Setup, simulate};
pub use trace::{Description, Trace};
