//! The flags of the fleet's roles.

use std::{path::PathBuf, str::FromStr, time::Duration};

use anyhow::Context;
use clap::{Args, Subcommand};
use url::Url;
use zkwhirl_circuits::Circuit;
use zkwhirl_job::Topic;
use zkwhirl_prover::native::Rival;

use super::{AdminArgs, CliProverArgs, KeyArgs, OperatorArgs, RollupArgs, milliseconds};

/// The connection to RabbitMQ.
#[derive(Debug, Clone, Args)]
pub(crate) struct AmqpArgs {
    /// URLs of RabbitMQ's nodes, separated by commas: amqp://user:password@host:5672/zkwhirl
    #[arg(long, value_name = "URL,URL", env = "ZKWHIRL_AMQP_URL")]
    #[arg(hide_env_values = true)]
    pub(crate) amqp_url: String,
    /// URL of RabbitMQ's management API: http://user:password@host:15672
    #[arg(long, value_name = "URL", env = "ZKWHIRL_AMQP_MANAGEMENT_URL")]
    #[arg(hide_env_values = true)]
    pub(crate) amqp_management_url: Option<String>,
    /// Trust the CA certificates in this file (PEM) for amqps://, in addition to the system's
    #[arg(long, value_name = "FILE", env = "ZKWHIRL_AMQP_CA")]
    pub(crate) amqp_ca: Option<PathBuf>,
    /// How long a message in another release's format stays in the queue before it is moved to the dead letters
    #[arg(long, value_name = "HOURS", env = "ZKWHIRL_UNREAD_HOURS", default_value = "24", value_parser = clap::value_parser!(u32).range(1..=8760))]
    pub(crate) unread_hours: u32,
}

/// The connection to Redis.
#[derive(Debug, Clone, Args)]
pub(crate) struct RedisArgs {
    /// URL of Redis: redis://[user:password@]host:6379[/db], or rediss:// for TLS
    #[arg(long, value_name = "URL", env = "ZKWHIRL_REDIS_URL")]
    #[arg(hide_env_values = true)]
    pub(crate) redis_url: Url,
    /// Prefix of the fleet's keys in Redis: fleets with different namespaces
    /// can share a Redis
    #[arg(long, value_name = "NAME", env = "ZKWHIRL_NAMESPACE")]
    #[arg(default_value = "main")]
    pub(crate) namespace: String,
}

/// The prover of a worker, or the verifier of a bridge.
#[derive(Debug, Clone, Args)]
pub(crate) struct ProverArgs {
    #[command(flatten)]
    pub(crate) rollup: RollupArgs,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    /// Share proving keys with the fleet through this folder (NFS, a mounted bucket)
    #[arg(long, value_name = "DIR", env = "ZKWHIRL_KEY_SHARE")]
    pub(crate) key_share: Option<PathBuf>,
    /// Allow development keys, and generate missing ones: insecure, never for real funds
    #[arg(long, env = "ZKWHIRL_ALLOW_DEV_KEYS", default_value = "false", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) allow_dev_keys: bool,
    /// Answer with mock replies instead of proofs
    #[arg(long, env = "PROVERLESS", default_value = "false", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) proverless: bool,
    #[command(flatten)]
    pub(crate) cli: CliProverArgs,
    /// Load or generate a key when the first job needs it, not before the worker claims jobs
    #[arg(long, env = "LAZY_INIT", default_value = "false", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) lazy_init: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eval \"$(scripts/services up)\" && zkwhirl provision
  zkwhirl bridge --proverless
  zkwhirl bridge --job-server-url http://falafel:8082 --suite pedersen --txs 28 --inners 32")]
pub(crate) struct BridgeArgs {
    #[command(flatten)]
    pub(crate) operator: OperatorArgs,
    #[command(flatten)]
    pub(crate) admin: AdminArgs,
    #[command(flatten)]
    pub(crate) amqp: AmqpArgs,
    #[command(flatten)]
    pub(crate) redis: RedisArgs,
    #[command(flatten)]
    pub(crate) prover: ProverArgs,
    /// URL of Falafel's job server for inner jobs, or for all jobs in Falafel's single-server mode
    #[arg(long, value_name = "URL", env = "JOB_SERVER_URL")]
    #[arg(default_value = "http://localhost:8082")]
    pub(crate) job_server_url: Url,
    /// URL of Falafel's job server for outer jobs; default: port 8083 of the inner server's host
    #[arg(long, value_name = "URL", env = "ZKWHIRL_OUTER_JOB_SERVER_URL")]
    pub(crate) outer_job_server_url: Option<Url>,
    /// This bridge's name: the same after a restart, unique among the fleet's bridges
    #[arg(long, env = "ZKWHIRL_NAME", default_value = "bridge")]
    pub(crate) name: String,
    /// URL of Kubernetes' API: the bridge annotates worker pods that are
    /// proving, so that a scale-in removes idle pods first
    #[arg(long, value_name = "URL", env = "ZKWHIRL_KUBERNETES_API")]
    pub(crate) kubernetes_api: Option<Url>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  zkwhirl worker --topic inner --allow-dev-keys
  zkwhirl worker --topic inner --suite pedersen --slots auto
  zkwhirl worker --topic inner,outer --slots 4 --proverless --work-ms 1000")]
pub(crate) struct WorkerArgs {
    #[command(flatten)]
    pub(crate) admin: AdminArgs,
    #[command(flatten)]
    pub(crate) amqp: AmqpArgs,
    #[command(flatten)]
    pub(crate) redis: RedisArgs,
    #[command(flatten)]
    pub(crate) prover: ProverArgs,
    /// Topics to prove: inner (tx rollups, claims), outer (all other jobs), or
    /// both; jobs of the first topic are claimed first
    #[arg(long, value_name = "TOPIC", env = "ZKWHIRL_TOPIC")]
    #[arg(default_value = "inner", value_delimiter = ',')]
    pub(crate) topic: Vec<Topic>,
    /// Number of jobs proved at once, each in its own prover process; auto: as many as memory and cores allow
    #[arg(long, value_name = "N", env = "ZKWHIRL_SLOTS", default_value = "1")]
    pub(crate) slots: Slots,
    /// Start even if the machine has too little memory for the slots, and do
    /// not check free memory before a claim
    #[arg(long, env = "ZKWHIRL_OVERCOMMIT", default_value = "false", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) overcommit: bool,
    /// How long a mock proof takes, in milliseconds
    #[arg(long, value_name = "MS", default_value = "0", value_parser = milliseconds)]
    pub(crate) work_ms: Duration,
    /// How long a running proof may continue after SIGTERM before it is aborted
    #[arg(long, value_name = "SECONDS", env = "ZKWHIRL_DRAIN_S", default_value = "60", value_parser = clap::value_parser!(u32).range(0..=86_400))]
    pub(crate) drain_s: u32,
    /// This worker's name, unique in the fleet; default: host name and process id
    #[arg(long, env = "ZKWHIRL_NAME")]
    pub(crate) name: Option<String>,
}

/// The number of jobs that a worker proves at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slots {
    /// As many slots as memory and cores allow.
    Auto,
    /// This number of slots, if memory allows.
    Exactly(u16),
}

impl Slots {
    /// The configured number of slots; `None` for [`Self::Auto`].
    pub(crate) fn exactly(self) -> Option<usize> {
        match self {
            Self::Auto => None,
            Self::Exactly(slots) => Some(slots.into()),
        }
    }
}

impl FromStr for Slots {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match (text, text.parse()) {
            ("auto", _) => Ok(Self::Auto),
            (_, Ok(slots @ 1..=256)) => Ok(Self::Exactly(slots)),
            _ => Err("must be auto or a number from 1 to 256"),
        }
    }
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
    /// Create a RabbitMQ user with least privileges: ROLE=NAME:PASSWORD; roles: bridge, worker, monitor
    #[arg(long = "user", value_name = "ROLE=NAME:PASSWORD")]
    pub(crate) users: Vec<String>,
    /// Delays of the three retry queues; default: 10 s, 1 min, 10 min
    #[arg(long, value_name = "MS,MS,MS", value_parser = rungs)]
    pub(crate) delays_ms: Option<[Duration; 3]>,
}

fn rungs(text: &str) -> anyhow::Result<[Duration; 3]> {
    let all: anyhow::Result<Vec<_>> = text.split(',').map(milliseconds).collect();
    let three = all?.try_into().ok();
    three.context("must be three numbers, as in 1000,2000,3000")
}

#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Start RabbitMQ, Redis, a bridge and workers on this machine, and measure them with mock jobs
    #[command(after_help = "\
Examples:
  zkwhirl bench fleet                                           the whole table
  zkwhirl bench fleet --workers 32 --jobs 32 --work-ms 1000 --payload-bytes 1090000 --json")]
    Fleet(BenchFleetArgs),
    /// Compare this prover with ark-groth16 and taceo-groth16, on one key and witness
    #[command(after_help = "\
Examples:
  zkwhirl bench prove                                a real-size claim and an inner rollup
  RAYON_NUM_THREADS=1 zkwhirl bench prove --circuit claim/pedersen --portable --json

Each proof is verified by ark-groth16.")]
    Prove(BenchProveArgs),
}

#[derive(Debug, Args)]
pub(crate) struct BenchProveArgs {
    /// A claim's or a tx rollup's circuit, as zkwhirl keys circuits names them
    #[arg(long = "circuit", value_name = "NAME", default_values = ["claim/pedersen", "tx-rollup/poseidon/1"])]
    pub(crate) circuits: Vec<Circuit>,
    /// Rounds of one proof by each prover
    #[arg(long, value_name = "N", default_value = "5", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) rounds: u16,
    /// Directory of the keys; development keys are made where they are missing
    #[arg(long, value_name = "DIR", env = "DATA_DIR", default_value = "./data")]
    pub(crate) data_dir: PathBuf,
    /// Use only the instructions that every machine has
    #[arg(long)]
    pub(crate) portable: bool,
    /// Make one proof with one prover and print this process's peak memory
    #[arg(long, value_name = "PROVER", hide = true)]
    pub(crate) memory_of: Option<Rival>,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BenchFleetArgs {
    /// Number of worker processes; default: one run each with 1, 4, 8 and 32
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=128))]
    pub(crate) workers: Option<u16>,
    /// Number of jobs, all requested at once
    #[arg(long, value_name = "N", default_value = "32", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(crate) jobs: u16,
    /// How long a mock proof takes, in milliseconds; default: one run each with 0, 50 and 1000
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u32).range(0..=600_000))]
    pub(crate) work_ms: Option<u32>,
    /// Approximate size of a request in bytes; default: one run each with 4,413 and 1.09 million
    #[arg(long, value_name = "B", value_parser = clap::value_parser!(u32).range(1..=1_100_000))]
    pub(crate) payload_bytes: Option<u32>,
    /// Print one JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_rungs_are_three_numbers_with_commas_between() {
        let delays = [1, 20, 300].map(Duration::from_millis);
        assert_eq!(rungs("1,20,300").unwrap(), delays);
        for wrong in ["", "1", "1,2", "1,2,3,4", "1,2,x", "1,2,3600001"] {
            rungs(wrong).unwrap_err();
        }
    }
}
