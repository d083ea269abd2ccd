//! Writes docs/METRICS.md on standard output; see scripts/gen-metrics.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    io::stdout().write_all(zkwhirl_telemetry::markdown().as_bytes())
}
