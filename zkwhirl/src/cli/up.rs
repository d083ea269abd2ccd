//! The flags of `zkwhirl up`: Halloumi's ten variables, and further ones of
//! zkWhirl.
//!
//! Halloumi's ten variables are strings here. `command/up/settings.rs` parses
//! them and reports a wrong value in one line.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use anyhow::{Context, bail};
use clap::Args;
use zkwhirl_circuits::Suite;
use zkwhirl_job::Topic;

use super::{AdminArgs, OperatorArgs, milliseconds};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  zkwhirl up                                           like Halloumi with its default settings
  JOB_SERVER_URL=http://falafel:8082 NUM_INNER_ROLLUP_TXS=28 NUM_OUTER_ROLLUP_PROOFS=32 \\
    MAX_CIRCUIT_SIZE=33554432 LAZY_INIT=true zkwhirl up
  ZKWHIRL_ROLLUP_CLI=/usr/src/aztec-connect-cpp/build/bin/rollup_cli zkwhirl up
  PROVERLESS=true zkwhirl up                           mock replies: no keys, no network

docs/MOVING-FROM-HALLOUMI.md lists the differences and how to switch back.")]
pub(crate) struct UpArgs {
    #[command(flatten)]
    pub(crate) operator: OperatorArgs,
    #[command(flatten)]
    pub(crate) admin: AdminArgs,
    /// Largest circuit size in rows (constraints): a power of two
    #[arg(long, value_name = "ROWS", env = "MAX_CIRCUIT_SIZE")]
    #[arg(default_value = "8388608")]
    pub(crate) max_circuit_size: String,
    /// Number of transactions per inner rollup
    #[arg(long = "txs", value_name = "N", env = "NUM_INNER_ROLLUP_TXS")]
    #[arg(default_value = "1")]
    pub(crate) txs: String,
    /// Number of inner rollups per root rollup
    #[arg(long = "inners", value_name = "M", env = "NUM_OUTER_ROLLUP_PROOFS")]
    #[arg(default_value = "1")]
    pub(crate) inners: String,
    /// "true": answer with mock replies instead of proofs
    #[arg(long, value_name = "BOOL", env = "PROVERLESS", default_value = "false", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) proverless: String,
    /// "true": load a key when the first job needs it, not at start-up
    #[arg(long, value_name = "BOOL", env = "LAZY_INIT", default_value = "false", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) lazy_init: String,
    /// "true": rollup_cli stores its keys on disk; the native engine always stores its keys
    #[arg(long, value_name = "BOOL", env = "PERSIST", default_value = "false", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) persist: String,
    /// Directory of the keys and the reference string
    #[arg(long, value_name = "DIR", env = "DATA_DIR", default_value = "./data")]
    pub(crate) data_dir: String,
    /// URL of Falafel's job server; in Falafel's split mode, of the server for inner jobs
    #[arg(long, value_name = "URL", env = "JOB_SERVER_URL")]
    #[arg(default_value = "http://localhost:8082")]
    pub(crate) job_server_url: String,
    /// Path prefix of the HTTP API's routes
    #[arg(long, value_name = "PATH", env = "API_PREFIX", default_value = "")]
    pub(crate) api_prefix: String,
    /// Port of the HTTP API; 0: a free port
    #[arg(long, value_name = "PORT", env = "PORT", default_value = "8083")]
    pub(crate) port: String,
    /// URL of Falafel's job server for outer jobs; default: port 8083 of the inner server's host
    #[arg(long, value_name = "URL", env = "ZKWHIRL_OUTER_JOB_SERVER_URL")]
    pub(crate) outer_job_server_url: Option<String>,
    /// Listen address of the HTTP API
    #[arg(long, value_name = "ADDRESS", env = "ZKWHIRL_API_ADDRESS")]
    #[arg(default_value = "0.0.0.0")]
    pub(crate) api_address: IpAddr,
    /// Operator's token for /reset; if no token is set, /reset is refused
    #[arg(long, value_name = "TOKEN", env = "ZKWHIRL_ADMIN_TOKEN")]
    #[arg(hide_env_values = true)]
    pub(crate) admin_token: Option<String>,
    /// Hash suite of the circuits: pedersen (Aztec Connect's own), or poseidon
    #[arg(long, env = "ZKWHIRL_SUITE", default_value = "pedersen")]
    pub(crate) suite: Suite,
    /// Topics to take and prove: inner, outer, or both; jobs of the first topic
    /// are claimed first
    #[arg(long, value_name = "TOPIC", env = "ZKWHIRL_TOPIC")]
    #[arg(default_value = "inner,outer", value_delimiter = ',')]
    pub(crate) topic: Vec<Topic>,
    /// Number of jobs proved at once, each in its own prover process
    #[arg(long, value_name = "N", env = "ZKWHIRL_SLOTS", default_value = "1", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) slots: u16,
    /// How long a running proof may continue after SIGTERM before it is aborted
    #[arg(long, value_name = "SECONDS", env = "ZKWHIRL_DRAIN_S", default_value = "60", value_parser = clap::value_parser!(u32).range(0..=86_400))]
    pub(crate) drain_s: u32,
    #[command(flatten)]
    pub(crate) cli: CliProverArgs,
    /// Allow development keys, and generate missing ones: insecure, never for real funds
    #[arg(long, env = "ZKWHIRL_ALLOW_DEV_KEYS", default_value = "false", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) allow_dev_keys: bool,
    /// How long a mock proof takes, in milliseconds
    #[arg(long, value_name = "MS", default_value = "0", value_parser = milliseconds)]
    pub(crate) work_ms: Duration,
}

/// An external program that proves in place of the native engine.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct CliProverArgs {
    /// Prove with this program instead of the native engine; it must implement rollup_cli's protocol
    #[arg(long, value_name = "FILE", env = "ZKWHIRL_ROLLUP_CLI")]
    pub(crate) rollup_cli: Option<PathBuf>,
    /// Limit of a prover process's private memory: 60GiB, 900MiB, or a number of bytes
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
