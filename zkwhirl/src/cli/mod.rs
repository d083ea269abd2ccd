//! The command line: sub-commands, flags, and the variables behind them.

mod fleet;
mod keys;
mod operate;
mod plan;
#[cfg(test)]
mod reference;
mod single;
mod up;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Context, bail, ensure};
use clap::{Args, Parser, Subcommand};
use zkwhirl::cluster::Rollups;
use zkwhirl_circuits::Suite;
use zkwhirl_job::Sizes;

use crate::shell::{exit, telemetry::Format};

pub(crate) use self::{fleet::*, keys::*, operate::*, plan::*, single::*, up::*};

/// The job cluster that proves rollups.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Show log lines of this level and above: error, warn, info, debug, trace
    #[arg(long, global = true, env = "ZKWHIRL_LOG", default_value = "warn")]
    pub(crate) log: String,
    /// Format of log lines
    #[arg(long, global = true, value_enum, env = "ZKWHIRL_LOG_FORMAT")]
    #[arg(default_value = "human")]
    pub(crate) log_format: Format,
}

const EXAMPLES: &str = "\
Examples:
  zkwhirl demo                              a simulated Falafel, a bridge and two workers, proving for real
  zkwhirl demo --suite pedersen             the same with Aztec Connect's own hashes: minutes, not seconds
  zkwhirl up                                in place of a Halloumi: same variables, same routes
  zkwhirl prove request.bin --json          prove one request file and verify the proof
  zkwhirl verify rollup.bin                 verify a whole rollup, with nothing but its bytes and keys
  zkwhirl keys circuits                     what is proved, row by row
  zkwhirl plan                              what do 1 to 32 workers buy, and what do they cost?
  zkwhirl rollups --watch                   what a running bridge is doing; jobs, workers, dead, queues
  zkwhirl falafel --rollups 0               only the simulated Falafel, on ports 8082 and 8083";

/// The admin address.
#[derive(Debug, Clone, Args)]
pub(crate) struct AdminArgs {
    /// Address of metrics, probes and console: 127.0.0.1:9464, or a free port where that is taken; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", env = "ZKWHIRL_ADMIN")]
    pub(crate) admin: Option<SocketAddr>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Roll up on this machine: simulated Falafel, bridge and workers in one process
    Demo(DemoArgs),
    /// Prove request files directly and verify the proofs
    Prove(ProveArgs),
    /// Verify a whole rollup from its final buffer and verification keys
    Verify(VerifyArgs),
    /// Circuits and proving keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Serve a simulated Falafel: job servers over a small world state
    Falafel(FalafelArgs),
    /// The native engine behind rollup_cli's stdio protocol
    RollupCli(RollupCliArgs),
    /// Prove for a Falafel in one process: Halloumi's variables, routes and protocol
    Up(UpArgs),
    /// Take jobs from Falafel, keep their leases, bring verified proofs back
    Bridge(BridgeArgs),
    /// Claim jobs from RabbitMQ, prove them, send the results back
    Worker(WorkerArgs),
    /// Rollups of a running bridge: how far, how long still
    Rollups(RollupsArgs),
    /// Jobs of a running bridge
    Jobs(JobsArgs),
    /// Workers of a running bridge; quiet or drain them
    Workers(WorkersArgs),
    /// Jobs that were given up on; replay, reject or download them
    Dead(DeadArgs),
    /// Queues of a running bridge
    Queues(QueuesArgs),
    /// Declare RabbitMQ's exchanges, queues, policies and users
    Provision(ProvisionArgs),
    /// Simulate a fleet under its autoscaler: latency, waits and cost by its size
    Plan(PlanArgs),
    /// Measure proofs, or a fleet, on this machine
    #[command(subcommand)]
    Bench(BenchCommand),
}

/// Sizes and suite of the rollups.
#[derive(Debug, Clone, Args)]
pub(crate) struct RollupArgs<const INNERS: u32 = 4> {
    /// Hashes of the statements: poseidon or pedersen (Aztec Connect's own)
    #[arg(long, env = "ZKWHIRL_SUITE", default_value = "poseidon")]
    pub(crate) suite: Suite,
    #[command(flatten)]
    pub(crate) size: SizeArgs<INNERS>,
}

impl<const INNERS: u32> RollupArgs<INNERS> {
    /// What is rolled up, its sizes checked.
    pub(crate) fn rollups(&self) -> anyhow::Result<Rollups> {
        let (suite, sizes) = (self.suite, self.size.sizes()?);
        Ok(Rollups { suite, sizes })
    }
}

/// Sizes of the rollups, of `INNERS` inner rollups unless said otherwise.
#[derive(Debug, Clone, Args)]
pub(crate) struct SizeArgs<const INNERS: u32> {
    /// Transactions of an inner rollup
    #[arg(long, value_name = "N", env = "NUM_INNER_ROLLUP_TXS")]
    #[arg(default_value = "1")]
    pub(crate) txs: u32,
    /// Inner rollups of a rollup
    #[arg(long, value_name = "M", env = "NUM_OUTER_ROLLUP_PROOFS", default_value_t = INNERS)]
    pub(crate) inners: u32,
}

impl<const INNERS: u32> SizeArgs<INNERS> {
    /// The sizes, checked.
    pub(crate) fn sizes(&self) -> anyhow::Result<Sizes> {
        Sizes::new(self.txs, self.inners).map_err(exit::usage)
    }
}

/// The key store and its limits.
#[derive(Debug, Clone, Args)]
pub(crate) struct KeyArgs {
    /// Directory of the keys
    #[arg(long, value_name = "DIR", env = "DATA_DIR", default_value = "./data")]
    pub(crate) data_dir: PathBuf,
    /// The largest circuit: a power of two
    #[arg(long, value_name = "ROWS", env = "MAX_CIRCUIT_SIZE", default_value = "8388608", value_parser = power_of_two)]
    pub(crate) max_circuit_size: u64,
    /// Keep keys on disk; with false a key exists as long as the process that
    /// made it
    #[arg(long, value_name = "BOOL", env = "PERSIST", default_value = "true", action = clap::ArgAction::Set)]
    pub(crate) persist: bool,
}

fn power_of_two(text: &str) -> anyhow::Result<u64> {
    let number: u64 = text.parse().ok().context("not a number")?;
    if number.is_power_of_two() {
        return Ok(number);
    }
    let above = number.checked_next_power_of_two().unwrap_or(1 << 63);
    bail!("not a power of two (nearest: {}, {above})", above / 2)
}

fn milliseconds(text: &str) -> anyhow::Result<Duration> {
    let number: u64 = text.parse().ok().context("not a number")?;
    ensure!(number <= 3_600_000, "more than an hour");
    Ok(Duration::from_millis(number))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_size_that_is_no_power_of_two_names_its_neighbours() {
        assert_eq!(power_of_two("1048576").unwrap(), 1 << 20);
        let error = power_of_two("3000000").unwrap_err().to_string();
        assert_eq!(error, "not a power of two (nearest: 2097152, 4194304)");
    }
}
