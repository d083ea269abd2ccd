//! The flags of the stand-alone commands: demo, prove, verify, the simulated
//! Falafel, the stdio engine.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::Args;
use zkwhirl_circuits::Suite;
use zkwhirl_job::Topic;

use super::{
    AdminArgs, FleetKeyArgs, KeyArgs, OperatorArgs, RollupArgs, milliseconds, power_of_two,
};

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    pub(crate) operator: OperatorArgs,
    #[command(flatten)]
    pub(crate) admin: AdminArgs,
    #[command(flatten)]
    pub(crate) rollup: RollupArgs,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    /// Number of workers, each with one prover process
    #[arg(long, value_name = "N", env = "ZKWHIRL_WORKERS", default_value = "2", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) workers: u16,
    /// Number of claims (of earlier defi deposits) to prove before the first rollup
    #[arg(long, value_name = "N", default_value = "4", value_parser = clap::value_parser!(u16).range(0..=896))]
    pub(crate) claims: u16,
    /// Number of rollups, one after the other
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) rollups: u16,
    /// Issue these request files instead of requests from the simulated world
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) requests: Vec<PathBuf>,
    /// Seed of the simulated world
    #[arg(long, default_value = "7")]
    pub(crate) seed: u64,
    /// Answer with mock replies instead of proofs
    #[arg(long, env = "PROVERLESS", default_value = "false", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) proverless: bool,
    /// How long a mock proof takes, in milliseconds
    #[arg(long, value_name = "MS", default_value = "0", value_parser = milliseconds, requires = "proverless")]
    pub(crate) work_ms: Duration,
    /// Print only one JSON object, at the end
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  zkwhirl prove claim.bin                              prove a claim, print what was proved
  zkwhirl prove tx.bin --suite pedersen --check-only   check every constraint, without a key
  zkwhirl prove *.bin --suite pedersen --json          one JSON object per line")]
pub(crate) struct ProveArgs {
    /// Request files, as Falafel sends them (create-proof data)
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) rollup: RollupArgs<1>,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    /// Build the witness and check every row (constraint), without a key and without a proof
    #[arg(long)]
    pub(crate) check_only: bool,
    /// Write each reply beside its request, as FILE.reply
    #[arg(long, conflicts_with = "check_only")]
    pub(crate) write_replies: bool,
    /// Print one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes:
  0  every proof of the rollup verifies
  1  the file is not a rollup, or a proof or a check of the rollup fails
  2  wrong usage, or the file cannot be read
  3  not verified: a verification key is missing or cannot be read

Examples:
  zkwhirl verify rollup.bin                    with the keys under ./data
  zkwhirl keys export --vks vks                 write the verification keys alone
  zkwhirl verify rollup.bin --vk vks --json    on another machine, with only these keys")]
pub(crate) struct VerifyArgs {
    /// The final buffer: the reply to a root rollup or root verifier request
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Folder of verification keys (see keys export --vks), in place of DATA_DIR
    #[arg(long, value_name = "DIR")]
    pub(crate) vk: Option<PathBuf>,
    /// Directory of the keys
    #[arg(long, value_name = "DIR", env = "DATA_DIR", default_value = "./data")]
    pub(crate) data_dir: PathBuf,
    /// Print only one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct FalafelArgs {
    #[command(flatten)]
    pub(crate) rollup: RollupArgs,
    /// Listen address of the job server for inner jobs
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8082")]
    pub(crate) inner: SocketAddr,
    /// Listen address of the job server for outer jobs
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8083")]
    pub(crate) outer: SocketAddr,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    /// Expect mock replies instead of proofs
    #[arg(long, env = "PROVERLESS", default_value = "false", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) proverless: bool,
    /// Number of claims (of earlier defi deposits) to prove before the first rollup
    #[arg(long, value_name = "N", default_value = "4", value_parser = clap::value_parser!(u16).range(0..=896))]
    pub(crate) claims: u16,
    /// Number of rollups, one after the other; 0: no limit
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) rollups: u16,
    /// Number of truncated claims to issue; each becomes a dead letter to practise with
    #[arg(long, value_name = "N", default_value = "0", value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub(crate) malformed: u16,
    /// Issue no jobs for the clients' verification keys
    #[arg(long)]
    pub(crate) no_client_keys: bool,
    /// Seed of the simulated world
    #[arg(long, default_value = "7")]
    pub(crate) seed: u64,
}

/// The seven positional arguments are `rollup_cli`'s, with its defaults.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  zkwhirl rollup-cli ./data/crs 28 32 false true true ./data    as Halloumi starts it
  ZKWHIRL_SUITE=poseidon zkwhirl rollup-cli unused 1 4 true     mock replies

Halloumi starts rollup_cli as a file: docs/MOVING-FROM-HALLOUMI.md has a two-line script for that file.")]
pub(crate) struct RollupCliArgs {
    /// Directory of the reference string; ignored, the native engine needs none
    #[arg(default_value = "./data/crs")]
    pub(crate) crs_dir: PathBuf,
    /// Number of transactions per inner rollup
    #[arg(default_value = "1")]
    pub(crate) txs_per_inner: u32,
    /// Number of inner rollups per root rollup
    #[arg(default_value = "1")]
    pub(crate) inners_per_root: u32,
    /// "true": answer with mock replies instead of proofs
    #[arg(default_value = "false")]
    pub(crate) mock: String,
    /// "true": load a key when the first request needs it, not at start-up
    #[arg(default_value = "false")]
    pub(crate) lazy_init: String,
    /// "true": store keys on disk; otherwise keys are lost when the process exits
    #[arg(default_value = "true")]
    pub(crate) persist: String,
    /// Directory of the keys
    #[arg(default_value = "./data")]
    pub(crate) data_path: PathBuf,
    /// Hash suite of the circuits: pedersen (Aztec Connect's own), or poseidon
    #[arg(long, env = "ZKWHIRL_SUITE", default_value = "pedersen")]
    pub(crate) suite: Suite,
    /// Largest circuit size in rows (constraints): a power of two
    #[arg(long, value_name = "ROWS", env = "MAX_CIRCUIT_SIZE", default_value = "8388608", value_parser = power_of_two)]
    pub(crate) max_circuit_size: u64,
    /// Allow development keys, and generate missing ones: insecure, never for real funds
    #[arg(long, env = "ZKWHIRL_ALLOW_DEV_KEYS", default_value = "false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) allow_dev_keys: bool,
    /// Share keys with the fleet through Redis
    #[arg(long, requires = "redis_url")]
    pub(crate) fleet_keys: bool,
    #[command(flatten)]
    pub(crate) fleet: FleetKeyArgs,
    /// Without lazy_init: load only the keys of these topics at start-up
    #[arg(long, value_name = "TOPIC")]
    #[arg(default_value = "inner,outer", value_delimiter = ',')]
    pub(crate) topic: Vec<Topic>,
    /// How long a mock proof takes, in milliseconds
    #[arg(long, value_name = "MS", default_value = "0", value_parser = milliseconds)]
    pub(crate) work_ms: Duration,
}
