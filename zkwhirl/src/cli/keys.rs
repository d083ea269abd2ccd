//! The flags of `zkwhirl keys`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use url::Url;
use zkwhirl_circuits::Suite;

use super::{KeyArgs, RollupArgs, power_of_two};

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
        /// Inner rollups of a rollup
        #[arg(
            long,
            value_name = "M",
            env = "NUM_OUTER_ROLLUP_PROOFS",
            default_value = "1"
        )]
        inners: u32,
        /// The largest circuit: a power of two
        #[arg(
            long,
            value_name = "ROWS",
            env = "MAX_CIRCUIT_SIZE",
            default_value = "8388608",
            value_parser = power_of_two
        )]
        max_circuit_size: u64,
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
        redis_url: Option<Url>,
        /// The fleet's namespace in Redis
        #[arg(
            long,
            value_name = "NAME",
            env = "ZKWHIRL_NAMESPACE",
            default_value = "main"
        )]
        namespace: String,
    },
    /// Write verification keys alone, to verify with elsewhere
    #[command(after_help = "\
Example:
  zkwhirl keys export --to vks      then, anywhere: zkwhirl verify rollup.bin --vk vks")]
    Export {
        /// Where keys are kept
        #[arg(long, value_name = "DIR", env = "DATA_DIR", default_value = "./data")]
        data_dir: PathBuf,
        /// The folder to write to
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
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
