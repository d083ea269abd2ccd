//! What every sub-command shares and none of them owns: exit codes, the
//! environment, logs, memory, signals. It knows no domain.

pub(crate) mod environment;
pub(crate) mod exit;
pub(crate) mod memory;
pub(crate) mod signals;
pub(crate) mod telemetry;
