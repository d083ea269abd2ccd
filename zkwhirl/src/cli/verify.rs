//! The flags of `zkwhirl verify`.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes:
  0  every proof of the rollup verifies
  1  the file is no rollup, or something in it is not true
  2  wrong usage, or the file cannot be read
  3  not decided: a verification key is missing or cannot be read

Examples:
  zkwhirl verify rollup.bin                    with the keys under ./data
  zkwhirl keys export --vks vks                 write the verification keys alone
  zkwhirl verify rollup.bin --vk vks --json    anywhere else, with nothing but those")]
pub(crate) struct VerifyArgs {
    /// The final buffer: the reply to a root rollup or root verifier request
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Folder of verification keys (see keys export), in place of DATA_DIR
    #[arg(long, value_name = "DIR")]
    pub(crate) vk: Option<PathBuf>,
    /// Where keys are kept
    #[arg(long, value_name = "DIR", env = "DATA_DIR", default_value = "./data")]
    pub(crate) data_dir: PathBuf,
    /// Print one JSON object and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}
