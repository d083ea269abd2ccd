//! The fleet planner: simulates the latency and cost of fleets of different sizes.
//!
//! [`hpa`] simulates Kubernetes' HorizontalPodAutoscaler exactly, read from the
//! manifest that is applied to the cluster. [`simulation`] adds pods, queues
//! and rollups: pods take time to start, jobs wait for one another, machines
//! are lost, and the autoscaler sees the queue with a delay. [`plan`](mod@plan)
//! compares fleets and autoscaler rules, [`picture`] draws the comparison. This
//! crate does no I/O, and equal seeds give equal results.

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
