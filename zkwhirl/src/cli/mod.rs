//! The command line: sub-commands, flags, and their environment variables.

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

/// Prove rollups on a cluster of workers.
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
  zkwhirl demo                              a simulated Falafel, a bridge and two workers that make real proofs
  zkwhirl demo --suite pedersen             the same with Aztec Connect's own hashes: minutes, not seconds
  zkwhirl up                                replace a Halloumi: same variables, same routes
  zkwhirl prove request.bin --json          prove one request file and verify the proof
  zkwhirl verify rollup.bin                 verify a whole rollup from its bytes and the verification keys
  zkwhirl keys circuits                     what each circuit proves, in how many rows
  zkwhirl plan                              compare fleets of 1 to 32 workers: latency and cost
  zkwhirl rollups --watch                   the rollups of a running bridge; see also jobs, workers, dead, queues
  zkwhirl falafel --rollups 0               only the simulated Falafel, on ports 8082 and 8083";

/// The admin address.
#[derive(Debug, Clone, Args)]
pub(crate) struct AdminArgs {
    /// Listen address of metrics, probes and console; default: 127.0.0.1:9464, or a free port if 9464 is in use; port 0: a free port
    #[arg(long, value_name = "ADDRESS:PORT", env = "ZKWHIRL_ADMIN")]
    pub(crate) admin: Option<SocketAddr>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a simulated Falafel, a bridge and workers in one process on this machine
    Demo(DemoArgs),
    /// Prove request files directly and verify the proofs
    Prove(ProveArgs),
    /// Verify a whole rollup from its final buffer and verification keys
    Verify(VerifyArgs),
    /// Manage proving keys, and list the circuits
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Run a simulated Falafel: its job servers over a small world state
    Falafel(FalafelArgs),
    /// Prove with the native engine over rollup_cli's stdio protocol
    RollupCli(RollupCliArgs),
    /// Prove for a Falafel in one process, in place of a Halloumi: same variables, routes and protocol
    Up(UpArgs),
    /// Take jobs from Falafel, ping their tickets, return verified proofs
    Bridge(BridgeArgs),
    /// Claim jobs from RabbitMQ, prove them, publish the results
    Worker(WorkerArgs),
    /// Show the progress of a running bridge's rollups and the estimated time left
    Rollups(RollupsArgs),
    /// List the jobs of a running bridge, show one, or cancel an attempt
    Jobs(JobsArgs),
    /// List the workers of a running bridge; pause, resume or drain them
    Workers(WorkersArgs),
    /// List the dead letters (jobs that failed for good); replay, reject or download them
    Dead(DeadArgs),
    /// Show the queues of a running bridge
    Queues(QueuesArgs),
    /// Declare RabbitMQ's exchanges, queues, policies and users
    Provision(ProvisionArgs),
    /// Simulate a fleet under its autoscaler: latency, waits and cost by fleet size
    Plan(PlanArgs),
    /// Measure proofs, or a fleet, on this machine
    #[command(subcommand)]
    Bench(BenchCommand),
}

/// Sizes and hash suite of the rollups.
#[derive(Debug, Clone, Args)]
pub(crate) struct RollupArgs<const INNERS: u32 = 4> {
    /// Hash suite of the circuits: poseidon, or pedersen (Aztec Connect's own)
    #[arg(long, env = "ZKWHIRL_SUITE", default_value = "poseidon")]
    pub(crate) suite: Suite,
    #[command(flatten)]
    pub(crate) size: SizeArgs<INNERS>,
}

impl<const INNERS: u32> RollupArgs<INNERS> {
    /// The suite and the sizes of the rollups; fails if the sizes are out of range.
    pub(crate) fn rollups(&self) -> anyhow::Result<Rollups> {
        let (suite, sizes) = (self.suite, self.size.sizes()?);
        Ok(Rollups { suite, sizes })
    }
}

/// Sizes of the rollups, with a default of `INNERS` inner rollups.
#[derive(Debug, Clone, Args)]
pub(crate) struct SizeArgs<const INNERS: u32> {
    /// Number of transactions per inner rollup
    #[arg(long, value_name = "N", env = "NUM_INNER_ROLLUP_TXS")]
    #[arg(default_value = "1")]
    pub(crate) txs: u32,
    /// Number of inner rollups per root rollup
    #[arg(long, value_name = "M", env = "NUM_OUTER_ROLLUP_PROOFS", default_value_t = INNERS)]
    pub(crate) inners: u32,
}

impl<const INNERS: u32> SizeArgs<INNERS> {
    /// The sizes; fails if they are out of range.
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
    /// Largest circuit size in rows (constraints): a power of two
    #[arg(long, value_name = "ROWS", env = "MAX_CIRCUIT_SIZE", default_value = "8388608", value_parser = power_of_two)]
    pub(crate) max_circuit_size: u64,
    /// Store keys on disk; with false a generated key is lost when the process
    /// exits
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
