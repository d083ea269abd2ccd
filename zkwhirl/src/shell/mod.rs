//! Shared by every sub-command: exit codes, the environment, files, logs, metrics
//! and probes, Kubernetes' API, memory, signals. It knows no domain.

pub(crate) mod admin;
pub(crate) mod environment;
pub(crate) mod exit;
pub(crate) mod files;
pub(crate) mod heap;
pub(crate) mod kubernetes;
pub(crate) mod memory;
pub(crate) mod metrics;
pub(crate) mod signals;
pub(crate) mod telemetry;
