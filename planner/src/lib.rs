//! The fleet planner: simulates latency and cost of a fleet by its size.
//!
//! [`hpa`] is Kubernetes' HorizontalPodAutoscaler to the letter, read from the
//! very manifest that is applied. [`simulation`] puts pods, queues and rollups
//! around it: pods take time to start, jobs wait for one another, machines are
//! lost, and the autoscaler sees the queue some time after the fact.
//! [`plan`](mod@plan) compares fleets and rules, [`picture`] draws the
//! comparison. Nothing here does I/O, and equal seeds give equal answers.

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
