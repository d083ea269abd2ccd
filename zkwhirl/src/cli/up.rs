//! The flags of `zkwhirl up`: Halloumi's ten variables and some of zkWhirl's
//! own.
//!
//! The ten are texts here. `command/up/settings.rs` parses them and reports a
//! wrong value in one line.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use anyhow::{Context, bail};
use clap::Args;
use zkwhirl_circuits::Suite;
use zkwhirl_job::Topic;

use super::{AdminArgs, OperatorArgs, milliseconds};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  zkwhirl up                                           as Halloumi with its defaults
  JOB_SERVER_URL=http://falafel:8082 NUM_INNER_ROLLUP_TXS=28 NUM_OUTER_ROLLUP_PROOFS=32 \\
    MAX_CIRCUIT_SIZE=33554432 LAZY_INIT=true zkwhirl up
  ZKWHIRL_ROLLUP_CLI=/usr/src/aztec-connect-cpp/build/bin/rollup_cli zkwhirl up
  PROVERLESS=true zkwhirl up                           mock replies: no keys, no network

docs/MOVING-FROM-HALLOUMI.md says what differs and how to go back.")]
pub(crate) struct UpArgs {
    #[command(flatten)]
    pub(crate) operator: OperatorArgs,
    #[command(flatten)]
    pub(crate) admin: AdminArgs,
    /// The largest circuit: a power of two
    #[arg(long, value_name = "ROWS", env = "MAX_CIRCUIT_SIZE")]
    #[arg(default_value = "8388608")]
    pub(crate) max_circuit_size: String,
    /// Transactions of an inner rollup
    #[arg(long = "txs", value_name = "N", env = "NUM_INNER_ROLLUP_TXS")]
    #[arg(default_value = "1")]
    pub(crate) txs: String,
    /// Inner rollups of a rollup
    #[arg(long = "inners", value_name = "M", env = "NUM_OUTER_ROLLUP_PROOFS")]
    #[arg(default_value = "1")]
    pub(crate) inners: String,
    /// "true": mock replies instead of proofs
    #[arg(long, value_name = "BOOL", env = "PROVERLESS", default_value = "false", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) proverless: String,
    /// "true": load keys with the first job that needs them, not before the first job
    #[arg(long, value_name = "BOOL", env = "LAZY_INIT", default_value = "false", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) lazy_init: String,
    /// "true": rollup_cli keeps its keys on disk; the native engine always does
    #[arg(long, value_name = "BOOL", env = "PERSIST", default_value = "false", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) persist: String,
    /// Directory of the keys and the reference string
    #[arg(long, value_name = "DIR", env = "DATA_DIR", default_value = "./data")]
    pub(crate) data_dir: String,
    /// Falafel's job server; in its split mode the one of inner jobs
    #[arg(long, value_name = "URL", env = "JOB_SERVER_URL")]
    #[arg(default_value = "http://localhost:8082")]
    pub(crate) job_server_url: String,
    /// Path prefix of the HTTP API's routes
    #[arg(long, value_name = "PATH", env = "API_PREFIX", default_value = "")]
    pub(crate) api_prefix: String,
    /// Port of the HTTP API; 0 takes a free one
    #[arg(long, value_name = "PORT", env = "PORT", default_value = "8083")]
    pub(crate) port: String,
    /// Falafel's server of outer jobs; port 8083 of the same host when absent
    #[arg(long, value_name = "URL", env = "ZKWHIRL_OUTER_JOB_SERVER_URL")]
    pub(crate) outer_job_server_url: Option<String>,
    /// Address that the HTTP API listens on
    #[arg(long, value_name = "ADDRESS", env = "ZKWHIRL_API_ADDRESS")]
    #[arg(default_value = "0.0.0.0")]
    pub(crate) api_address: IpAddr,
    /// Operator's token for /reset; without it /reset is refused
    #[arg(long, value_name = "TOKEN", env = "ZKWHIRL_ADMIN_TOKEN")]
    #[arg(hide_env_values = true)]
    pub(crate) admin_token: Option<String>,
    /// Hashes of the statements: pedersen (Aztec Connect's own) or poseidon
    #[arg(long, env = "ZKWHIRL_SUITE", default_value = "pedersen")]
    pub(crate) suite: Suite,
    /// Topics to take and prove: inner, outer, or both; the first has
    /// precedence
    #[arg(long, value_name = "TOPIC", env = "ZKWHIRL_TOPIC")]
    #[arg(default_value = "inner,outer", value_delimiter = ',')]
    pub(crate) topic: Vec<Topic>,
    /// Jobs at once, a prover process each
    #[arg(long, value_name = "N", env = "ZKWHIRL_SLOTS", default_value = "1", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) slots: u16,
    /// How long a running proof may still take after SIGTERM
    #[arg(long, value_name = "SECONDS", env = "ZKWHIRL_DRAIN_S", default_value = "60", value_parser = clap::value_parser!(u32).range(0..=86_400))]
    pub(crate) drain_s: u32,
    #[command(flatten)]
    pub(crate) cli: CliProverArgs,
    /// Use, and make when missing, development keys: never for funds
    #[arg(long, env = "ZKWHIRL_ALLOW_DEV_KEYS", default_value = "false", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) allow_dev_keys: bool,
    /// How long a mock reply takes
    #[arg(long, value_name = "MS", default_value = "0", value_parser = milliseconds)]
    pub(crate) work_ms: Duration,
}

/// A foreign program in place of the native engine.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct CliProverArgs {
    /// Prove with this program, which speaks rollup_cli's protocol
    #[arg(long, value_name = "FILE", env = "ZKWHIRL_ROLLUP_CLI")]
    pub(crate) rollup_cli: Option<PathBuf>,
    /// Largest private memory of a prover process: 60GiB, 900MiB, or bytes
    #[arg(long, value_name = "SIZE", env = "ZKWHIRL_PROVER_MEMORY", value_parser = memory)]
    pub(crate) prover_memory: Option<u64>,
}

fn memory(text: &str) -> anyhow::Result<u64> {
    let (number, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let shift = match unit {
        "" => 0,
        "MiB" => 20,
        "GiB" => 30,
        _ => bail!("a size is a number and MiB, GiB or nothing: 60GiB"),
    };
    let bytes = number.parse::<u64>().ok();
    bytes
        .and_then(|number| number.checked_mul(1 << shift))
        .filter(|bytes| *bytes >= 1 << 20)
        .context("a size is at least 1MiB")
}

#[cfg(test)]
mod tests {
    use super::memory;

    #[test]
    fn sizes_of_memory_have_a_unit_or_are_bytes() {
        assert_eq!(memory("60GiB").unwrap(), 60 << 30);
        assert_eq!(memory("900MiB").unwrap(), 900 << 20);
        assert_eq!(memory("2097152").unwrap(), 2 << 20);
        for wrong in ["", "GiB", "1", "1.5GiB", "60GB", "-1MiB", "99999999999GiB"] {
            memory(wrong).unwrap_err();
        }
    }
}
