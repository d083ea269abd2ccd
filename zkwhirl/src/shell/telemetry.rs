//! Logs: human lines on standard error.

use std::io;

use tracing_subscriber::{EnvFilter, fmt};

/// Starts logging at `level`, which may also be a filter of tracing's syntax.
pub(crate) fn start(level: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(level)
        .map_err(|error| anyhow::anyhow!("ZKWHIRL_LOG={level} is no log filter: {error}"))?;
    // What operators do is said whatever the level.
    let filter = filter.add_directive("audit=info".parse()?);
    fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_target(false)
        .init();
    Ok(())
}
