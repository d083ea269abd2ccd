//! The command line: sub-commands, flags, and the variables behind them.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};
use zkwhirl_circuits::Suite;
use zkwhirl_job::{Sizes, SizesError};

/// The job cluster that proves rollups.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Show log lines of this level and above: error, warn, info, debug, trace
    #[arg(long, global = true, env = "ZKWHIRL_LOG", default_value = "warn")]
    pub(crate) log: String,
}

const EXAMPLES: &str = "\
Examples:
  zkwhirl demo                              a simulated Falafel, a bridge and two workers, proving for real
  zkwhirl demo --suite pedersen             the same with Aztec Connect's own hashes (claims only)
  zkwhirl prove request.bin --json          prove one request file and verify the proof
  zkwhirl keys circuits                     what is proved, row by row
  zkwhirl falafel --rollups 0               only the simulated Falafel, on ports 8082 and 8083";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Roll up on this machine: simulated Falafel, bridge and workers in one process
    Demo(DemoArgs),
    /// Prove request files directly and verify the proofs
    Prove(ProveArgs),
    /// Circuits and proving keys
    Keys(KeysArgs),
    /// Serve a simulated Falafel: job servers over a small world state
    Falafel(FalafelArgs),
    /// The native engine behind rollup_cli's stdio protocol
    RollupCli(RollupCliArgs),
    /// Take jobs from Falafel, keep their leases, bring verified proofs back
    Bridge(BridgeArgs),
    /// Claim jobs from RabbitMQ, prove them, send the results back
    Worker(WorkerArgs),
    /// Declare RabbitMQ's exchanges, queues, policies and users
    Provision(ProvisionArgs),
    /// Measure a fleet on this machine
    Bench(BenchArgs),
}

/// Sizes and suite of the rollups.
#[derive(Debug, Clone, Args)]
pub(crate) struct RollupArgs {
    /// Hashes of the statements: poseidon or pedersen (Aztec Connect's own)
    #[arg(long, env = "ZKWHIRL_SUITE", default_value = "poseidon")]
    pub(crate) suite: Suite,
    /// Transactions of an inner rollup
    #[arg(
        long,
        value_name = "N",
        env = "NUM_INNER_ROLLUP_TXS",
        default_value = "1"
    )]
    pub(crate) txs: u32,
    /// Inner rollups of a rollup
    #[arg(
        long,
        value_name = "M",
        env = "NUM_OUTER_ROLLUP_PROOFS",
        default_value = "4"
    )]
    pub(crate) inners: u32,
}

impl RollupArgs {
    /// The sizes, checked.
    pub(crate) fn sizes(&self) -> Result<Sizes, SizesError> {
        Sizes::new(self.txs, self.inners)
    }
}

/// Where keys are and which may be used.
#[derive(Debug, Clone, Args)]
pub(crate) struct KeyArgs {
    /// Where keys are kept
    #[arg(long, value_name = "DIR", env = "DATA_DIR", default_value = "./data")]
    pub(crate) data_dir: PathBuf,
    /// The largest circuit: a power of two
    #[arg(
        long,
        value_name = "ROWS",
        env = "MAX_CIRCUIT_SIZE",
        default_value = "8388608",
        value_parser = power_of_two
    )]
    pub(crate) max_circuit_size: u64,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    pub(crate) rollup: RollupArgs,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    /// Workers, one prover process each
    #[arg(long, value_name = "N", env = "ZKWHIRL_WORKERS", default_value = "2", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) workers: u16,
    /// Claims of earlier defi deposits that come before the first rollup
    #[arg(long, value_name = "N", default_value = "4", value_parser = clap::value_parser!(u16).range(0..=896))]
    pub(crate) claims: u16,
    /// Rollups, one after the other
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) rollups: u16,
    /// Hand out these request files instead of a simulated world's
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) requests: Vec<PathBuf>,
    /// Seed of the simulated world
    #[arg(long, default_value = "7")]
    pub(crate) seed: u64,
    /// Mock replies instead of proofs
    #[arg(long, env = "PROVERLESS", default_value = "false", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) proverless: bool,
    /// How long a mock reply takes
    #[arg(long, value_name = "MS", default_value = "0", value_parser = milliseconds, requires = "proverless")]
    pub(crate) work_ms: Duration,
    /// Print one JSON object at the end and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  zkwhirl prove claim.bin                              prove a claim, print what was proved
  zkwhirl prove tx.bin --suite pedersen --check-only   check every row without a key
  zkwhirl prove *.bin --suite pedersen --json          one JSON object a line")]
pub(crate) struct ProveArgs {
    /// Request files, as Falafel sends them (create-proof data)
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Hashes of the statements: poseidon or pedersen (Aztec Connect's own)
    #[arg(long, env = "ZKWHIRL_SUITE", default_value = "poseidon")]
    pub(crate) suite: Suite,
    /// Transactions of an inner rollup
    #[arg(
        long,
        value_name = "N",
        env = "NUM_INNER_ROLLUP_TXS",
        default_value = "1"
    )]
    pub(crate) txs: u32,
    /// Inner rollups of a rollup
    #[arg(
        long,
        value_name = "M",
        env = "NUM_OUTER_ROLLUP_PROOFS",
        default_value = "1"
    )]
    pub(crate) inners: u32,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    /// Build the witness and check every row, without a key and without a proof
    #[arg(long)]
    pub(crate) check_only: bool,
    /// Write each reply beside its request, as FILE.reply
    #[arg(long, conflicts_with = "check_only")]
    pub(crate) write_replies: bool,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    #[command(subcommand)]
    pub(crate) command: KeysCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// What each circuit proves, with its rows part by part
    Circuits {
        /// Hashes of the statements; both when absent
        #[arg(long, env = "ZKWHIRL_SUITE")]
        suite: Option<Suite>,
        /// Transactions of an inner rollup
        #[arg(
            long,
            value_name = "N",
            env = "NUM_INNER_ROLLUP_TXS",
            default_value = "1"
        )]
        txs: u32,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// The keys in the data directory, every byte checked
    List {
        /// Where keys are kept
        #[arg(long, value_name = "DIR", env = "DATA_DIR", default_value = "./data")]
        data_dir: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Keep the verification keys of the clients' circuits, for Falafel's two vk jobs
    #[command(after_help = "\
Example:
  zkwhirl keys import --suite pedersen --join-split-vk js.vk --account-vk account.vk
  zkwhirl keys import --join-split-vk js.vk --redis-url redis://localhost    for a fleet")]
    Import {
        /// Hashes of the clients' notes
        #[arg(long, env = "ZKWHIRL_SUITE", default_value = "pedersen")]
        suite: Suite,
        /// The join-split circuit's key, as rollup_cli writes it
        #[arg(long, value_name = "FILE", required_unless_present = "account_vk")]
        join_split_vk: Option<PathBuf>,
        /// The account circuit's key, as rollup_cli writes it
        #[arg(long, value_name = "FILE")]
        account_vk: Option<PathBuf>,
        /// Where keys are kept
        #[arg(long, value_name = "DIR", env = "DATA_DIR", default_value = "./data")]
        data_dir: PathBuf,
        /// The fleet's Redis; without it the keys are this machine's alone
        #[arg(
            long,
            value_name = "URL",
            env = "ZKWHIRL_REDIS_URL",
            hide_env_values = true
        )]
        redis_url: Option<url::Url>,
        /// The fleet's namespace in Redis
        #[arg(
            long,
            value_name = "NAME",
            env = "ZKWHIRL_NAMESPACE",
            default_value = "main"
        )]
        namespace: String,
    },
    /// Make the keys of a suite and size that are missing
    Generate {
        #[command(flatten)]
        rollup: RollupArgs,
        #[command(flatten)]
        keys: KeyArgs,
        /// Make development keys from this seed instead of random ones: never for funds
        #[arg(long, value_name = "SEED")]
        dev_seed: Option<u64>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct FalafelArgs {
    #[command(flatten)]
    pub(crate) rollup: RollupArgs,
    /// Where inner jobs are served
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8082")]
    pub(crate) inner: SocketAddr,
    /// Where outer jobs are served
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8083")]
    pub(crate) outer: SocketAddr,
    /// Where keys are kept, to verify what comes back
    #[arg(long, value_name = "DIR", env = "DATA_DIR", default_value = "./data")]
    pub(crate) data_dir: PathBuf,
    /// Expect mock replies instead of proofs
    #[arg(long, env = "PROVERLESS", default_value = "false", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) proverless: bool,
    /// Claims of earlier defi deposits that come before the first rollup
    #[arg(long, value_name = "N", default_value = "4", value_parser = clap::value_parser!(u16).range(0..=896))]
    pub(crate) claims: u16,
    /// Rollups, one after the other; 0 goes on for ever
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) rollups: u16,
    /// Seed of the simulated world
    #[arg(long, default_value = "7")]
    pub(crate) seed: u64,
}

/// Where RabbitMQ is.
#[derive(Debug, Clone, Args)]
pub(crate) struct AmqpArgs {
    /// RabbitMQ nodes, with commas between: amqp://user:password@host:5672/zkwhirl
    #[arg(
        long,
        value_name = "URL,URL",
        env = "ZKWHIRL_AMQP_URL",
        hide_env_values = true
    )]
    pub(crate) amqp_url: String,
    /// RabbitMQ's management API: http://user:password@host:15672
    #[arg(
        long,
        value_name = "URL",
        env = "ZKWHIRL_AMQP_MANAGEMENT_URL",
        hide_env_values = true
    )]
    pub(crate) amqp_management_url: Option<String>,
    /// Trust the certificates of this file (PEM) for amqps:// besides the system's
    #[arg(long, value_name = "FILE", env = "ZKWHIRL_AMQP_CA")]
    pub(crate) amqp_ca: Option<PathBuf>,
}

/// Where Redis is.
#[derive(Debug, Clone, Args)]
pub(crate) struct RedisArgs {
    /// Redis: redis://[user:password@]host:6379[/db], or rediss:// for TLS
    #[arg(
        long,
        value_name = "URL",
        env = "ZKWHIRL_REDIS_URL",
        hide_env_values = true
    )]
    pub(crate) redis_url: url::Url,
    /// Fleets with different namespaces share a Redis and nothing else
    #[arg(
        long,
        value_name = "NAME",
        env = "ZKWHIRL_NAMESPACE",
        default_value = "main"
    )]
    pub(crate) namespace: String,
}

/// What proves, or what checks what was proved.
#[derive(Debug, Clone, Args)]
pub(crate) struct ProverArgs {
    #[command(flatten)]
    pub(crate) rollup: RollupArgs,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    /// Share proving keys with the fleet through this folder (NFS, a mounted bucket)
    #[arg(long, value_name = "DIR", env = "ZKWHIRL_KEY_SHARE")]
    pub(crate) key_share: Option<PathBuf>,
    /// Use, and make when missing, development keys: never for funds
    #[arg(long, env = "ZKWHIRL_ALLOW_DEV_KEYS", default_value = "false", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) allow_dev_keys: bool,
    /// Mock replies instead of proofs
    #[arg(long, env = "PROVERLESS", default_value = "false", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) proverless: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eval \"$(scripts/services up)\" && zkwhirl provision
  zkwhirl bridge --proverless
  zkwhirl bridge --job-server-url http://falafel:8082 --suite pedersen --txs 28 --inners 32")]
pub(crate) struct BridgeArgs {
    #[command(flatten)]
    pub(crate) amqp: AmqpArgs,
    #[command(flatten)]
    pub(crate) redis: RedisArgs,
    #[command(flatten)]
    pub(crate) prover: ProverArgs,
    /// Falafel's server of inner jobs; in its single-server mode of all jobs
    #[arg(
        long,
        value_name = "URL",
        env = "JOB_SERVER_URL",
        default_value = "http://localhost:8082"
    )]
    pub(crate) job_server_url: url::Url,
    /// Falafel's server of outer jobs; port 8083 of the same host when absent
    #[arg(long, value_name = "URL", env = "ZKWHIRL_OUTER_JOB_SERVER_URL")]
    pub(crate) outer_job_server_url: Option<url::Url>,
    /// This bridge's name: stable over its restarts, unique among bridges
    #[arg(long, env = "ZKWHIRL_NAME", default_value = "bridge")]
    pub(crate) name: String,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  zkwhirl worker --topic inner --allow-dev-keys
  zkwhirl worker --topic inner,outer --slots 4 --proverless --work-ms 1000")]
pub(crate) struct WorkerArgs {
    #[command(flatten)]
    pub(crate) amqp: AmqpArgs,
    #[command(flatten)]
    pub(crate) redis: RedisArgs,
    #[command(flatten)]
    pub(crate) prover: ProverArgs,
    /// What to prove: inner (tx rollups, claims), outer (the rest), or both; the first goes first
    #[arg(
        long,
        value_name = "TOPIC",
        env = "ZKWHIRL_TOPIC",
        default_value = "inner",
        value_delimiter = ','
    )]
    pub(crate) topic: Vec<zkwhirl_job::Topic>,
    /// Jobs at once, a prover process each
    #[arg(long, value_name = "N", env = "ZKWHIRL_SLOTS", default_value = "1", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) slots: u16,
    /// How long a mock reply takes
    #[arg(long, value_name = "MS", default_value = "0", value_parser = milliseconds)]
    pub(crate) work_ms: Duration,
    /// How long a running proof may still take after SIGTERM
    #[arg(long, value_name = "SECONDS", env = "ZKWHIRL_DRAIN_S", default_value = "60", value_parser = clap::value_parser!(u32).range(0..=86_400))]
    pub(crate) drain_s: u32,
    /// This worker's name, unique in the fleet; host and process id when absent
    #[arg(long, env = "ZKWHIRL_NAME")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  zkwhirl provision --amqp-url amqp://guest:guest@localhost:5672/zkwhirl \\
      --amqp-management-url http://guest:guest@localhost:15672
  zkwhirl provision --user bridge=bridge:SECRET --user worker=worker:SECRET")]
pub(crate) struct ProvisionArgs {
    #[command(flatten)]
    pub(crate) amqp: AmqpArgs,
    /// Make a user with least privileges: ROLE=NAME:PASSWORD, role bridge, worker or monitor
    #[arg(long = "user", value_name = "ROLE=NAME:PASSWORD")]
    pub(crate) users: Vec<String>,
    /// How long jobs wait on the three retry rungs, in milliseconds
    #[arg(
        long,
        value_name = "MS,MS,MS",
        value_delimiter = ',',
        num_args = 3,
        hide = true
    )]
    pub(crate) delays_ms: Vec<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    pub(crate) command: BenchCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Start RabbitMQ, Redis, a bridge and workers here, and give them mock jobs
    #[command(after_help = "\
Examples:
  zkwhirl bench fleet                                           the whole table
  zkwhirl bench fleet --workers 32 --jobs 32 --work-ms 1000 --payload-bytes 1090000 --json")]
    Fleet(BenchFleetArgs),
}

#[derive(Debug, Args)]
pub(crate) struct BenchFleetArgs {
    /// Workers, a process each; without it the table of 1, 4, 8 and 32
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=128))]
    pub(crate) workers: Option<u16>,
    /// Jobs, all asked for at once
    #[arg(long, value_name = "N", default_value = "32", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(crate) jobs: u16,
    /// How long a mock proof takes; without it 0, 50 and 1000
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u32).range(0..=600_000))]
    pub(crate) work_ms: Option<u32>,
    /// Bytes of a request, about; without it 4,413 and 1.09 million
    #[arg(long, value_name = "B", value_parser = clap::value_parser!(u32).range(1..=1_100_000))]
    pub(crate) payload_bytes: Option<u32>,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// The seven positional arguments are `rollup_cli`'s, with its defaults.
#[derive(Debug, Args)]
pub(crate) struct RollupCliArgs {
    /// Directory of the reference string; the native engine needs none
    #[arg(default_value = "./data/crs")]
    pub(crate) crs_dir: PathBuf,
    /// Transactions of an inner rollup
    #[arg(default_value = "1")]
    pub(crate) txs_per_inner: u32,
    /// Inner rollups of a rollup
    #[arg(default_value = "1")]
    pub(crate) inners_per_root: u32,
    /// "true": mock replies instead of proofs
    #[arg(default_value = "false")]
    pub(crate) mock: String,
    /// "true": load keys with the first request that needs them
    #[arg(default_value = "false")]
    pub(crate) lazy_init: String,
    /// "true": keep keys on disk; the native engine always does
    #[arg(default_value = "true")]
    pub(crate) persist: String,
    /// Where keys are kept
    #[arg(default_value = "./data")]
    pub(crate) data_path: PathBuf,
    /// Hashes of the statements: poseidon or pedersen
    #[arg(long, env = "ZKWHIRL_SUITE", default_value = "poseidon")]
    pub(crate) suite: Suite,
    /// The largest circuit: a power of two
    #[arg(long, value_name = "ROWS", env = "MAX_CIRCUIT_SIZE", default_value = "8388608", value_parser = power_of_two)]
    pub(crate) max_circuit_size: u64,
    /// Use, and make when missing, development keys: never for funds
    #[arg(long)]
    pub(crate) allow_dev_keys: bool,
    /// Share keys with the fleet, through Redis
    #[arg(long, requires = "redis_url")]
    pub(crate) fleet_keys: bool,
    /// The fleet's Redis
    #[arg(
        long,
        value_name = "URL",
        env = "ZKWHIRL_REDIS_URL",
        hide_env_values = true
    )]
    pub(crate) redis_url: Option<url::Url>,
    /// The fleet's namespace in Redis
    #[arg(
        long,
        value_name = "NAME",
        env = "ZKWHIRL_NAMESPACE",
        default_value = "main"
    )]
    pub(crate) namespace: String,
    /// Share proving keys with the fleet through this folder
    #[arg(long, value_name = "DIR", env = "ZKWHIRL_KEY_SHARE")]
    pub(crate) key_share: Option<PathBuf>,
    /// How long a mock reply takes
    #[arg(long, value_name = "MS", default_value = "0", value_parser = milliseconds)]
    pub(crate) work_ms: Duration,
}

fn power_of_two(text: &str) -> Result<u64, String> {
    let number: u64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if number.is_power_of_two() {
        return Ok(number);
    }
    let above = number.checked_next_power_of_two().unwrap_or(1 << 63);
    Err(format!(
        "not a power of two (nearest: {}, {above})",
        above / 2
    ))
}

fn milliseconds(text: &str) -> Result<Duration, String> {
    let number: u64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if number > 3_600_000 {
        return Err("more than an hour".to_owned());
    }
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
        assert_eq!(power_of_two("1048576"), Ok(1 << 20));
        assert_eq!(
            power_of_two("3000000").unwrap_err(),
            "not a power of two (nearest: 2097152, 4194304)"
        );
    }
}
