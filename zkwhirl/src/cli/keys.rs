//! The flags of `zkwhirl keys`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use url::Url;
use zkwhirl::cluster::FleetKeys;
use zkwhirl_circuits::{Circuit, Suite};

use super::{KeyArgs, RollupArgs, SizeArgs, power_of_two};

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// List the circuits: what each proves, and its number of rows (constraints) by part
    Circuits(CircuitsArgs),
    /// List the keys in the data directory and verify every file's checksum
    #[command(after_help = "\
Examples:
  zkwhirl keys list
  zkwhirl keys list --json --redis-url redis://localhost    also: does the fleet use each key?")]
    List(PlaceArgs),
    /// Generate the missing keys of a suite and size
    #[command(after_help = "\
Examples:
  zkwhirl keys generate --suite poseidon --txs 1
  zkwhirl keys generate --circuit claim/poseidon --ptau powers.ptau    tau from a ceremony")]
    Generate(GenerateArgs),
    /// Check keys in full: checksums, circuit, curve points, and one sample proof each
    #[command(after_help = "\
Examples:
  zkwhirl keys verify                    all keys; exit code 1 if a key is invalid
  zkwhirl keys verify claim/poseidon")]
    Verify(KeysVerifyArgs),
    /// Export a key, its verification key, or its circuit to files
    #[command(after_help = "\
Examples:
  zkwhirl keys export --vks vks      then, anywhere: zkwhirl verify rollup.bin --vk vks
  zkwhirl keys export claim/poseidon --key claim.key               for another machine
  zkwhirl keys export claim/poseidon --solidity Verifier.sol       a contract that verifies
  zkwhirl keys export claim/poseidon --snarkjs verification_key.json
  zkwhirl keys export claim/poseidon --r1cs claim.r1cs             for a ceremony; needs no key")]
    Export(ExportArgs),
    /// Import a key from another machine or a ceremony, or the clients' verification keys
    #[command(after_help = "\
Examples:
  zkwhirl keys import --key claim.key
  zkwhirl keys import --circuit claim/poseidon --zkey final.zkey --ptau powers.ptau
  zkwhirl keys import --suite pedersen --join-split-vk js.vk --account-vk account.vk
  zkwhirl keys import --join-split-vk js.vk --redis-url redis://localhost    for a fleet

A ceremony: export the circuit with --r1cs, then snarkjs groth16 setup, zkey contribute, zkey verify.")]
    Import(ImportArgs),
    /// Remove keys
    #[command(after_help = "\
Examples:
  zkwhirl keys remove claim/poseidon
  zkwhirl keys remove 1a2b3c4d --yes")]
    Remove(RemoveArgs),
}

/// Where keys are stored, and the output format. clap moves an option that
/// `mut_arg` changes to the end, so all four are named to keep their order.
#[derive(Debug, Clone, Args)]
#[command(
    mut_arg("redis_url", |arg| arg.help("URL of the fleet's Redis; without it only this machine's keys are used")),
    mut_arg("namespace", |arg| arg),
    mut_arg("key_share", |arg| arg.help("Folder through which the fleet shares proving keys").requires("redis_url")),
    mut_arg("json", |arg| arg),
)]
pub(crate) struct PlaceArgs {
    /// Directory of the keys
    #[arg(long, value_name = "DIR", env = "DATA_DIR", default_value = "./data")]
    pub(crate) data_dir: PathBuf,
    #[command(flatten)]
    pub(crate) fleet: FleetKeyArgs,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// The Redis and the folder through which a fleet shares its keys; optional.
#[derive(Debug, Clone, Args)]
pub(crate) struct FleetKeyArgs {
    /// URL of the fleet's Redis
    #[arg(long, value_name = "URL", env = "ZKWHIRL_REDIS_URL")]
    #[arg(hide_env_values = true)]
    pub(crate) redis_url: Option<Url>,
    /// The fleet's namespace in Redis
    #[arg(long, value_name = "NAME", env = "ZKWHIRL_NAMESPACE")]
    #[arg(default_value = "main")]
    pub(crate) namespace: String,
    /// Share proving keys with the fleet through this folder
    #[arg(long, value_name = "DIR", env = "ZKWHIRL_KEY_SHARE")]
    pub(crate) key_share: Option<PathBuf>,
}

impl FleetKeyArgs {
    /// Where the fleet shares keys; `None` without a Redis.
    pub(crate) fn keys(&self) -> Option<FleetKeys> {
        let redis_url = self.redis_url.clone()?;
        Some(FleetKeys {
            redis_url,
            namespace: self.namespace.clone(),
            share: self.key_share.clone(),
        })
    }
}

#[derive(Debug, Args)]
pub(crate) struct CircuitsArgs {
    /// Hash suite of the circuits: poseidon or pedersen; default: both
    #[arg(long, env = "ZKWHIRL_SUITE")]
    pub(crate) suite: Option<Suite>,
    #[command(flatten)]
    pub(crate) size: SizeArgs<1>,
    /// Largest circuit size in rows (constraints): a power of two
    #[arg(long, value_name = "ROWS", env = "MAX_CIRCUIT_SIZE", default_value = "8388608", value_parser = power_of_two)]
    pub(crate) max_circuit_size: u64,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    #[command(flatten)]
    pub(crate) rollup: RollupArgs,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    /// Generate only the key of this circuit
    #[arg(long, value_name = "NAME", conflicts_with_all = ["suite", "txs", "inners"])]
    pub(crate) circuit: Option<Circuit>,
    /// Generate development keys from this seed instead of random keys: never for real funds
    #[arg(long, value_name = "SEED")]
    pub(crate) dev_seed: Option<u64>,
    /// Take tau, alpha and beta from a ceremony's prepared powers of tau
    #[arg(long, value_name = "FILE", conflicts_with = "dev_seed")]
    pub(crate) ptau: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct KeysVerifyArgs {
    /// Circuit names, or beginnings of key ids; default: all keys
    #[arg(value_name = "KEY")]
    pub(crate) keys: Vec<String>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("what").required(true).multiple(true)))]
pub(crate) struct ExportArgs {
    /// Circuit name, or the beginning of a key id
    #[arg(value_name = "KEY", required_unless_present = "vks")]
    pub(crate) name: Option<String>,
    /// Write the verification keys of all keys to this folder, for zkwhirl verify --vk
    #[arg(long, value_name = "DIR", group = "what")]
    pub(crate) vks: Option<PathBuf>,
    /// Write the complete key
    #[arg(long, value_name = "FILE", group = "what")]
    pub(crate) key: Option<PathBuf>,
    /// Write the verification key, with compressed points
    #[arg(long, value_name = "FILE", group = "what")]
    pub(crate) vk: Option<PathBuf>,
    /// Write a Solidity contract that verifies proofs
    #[arg(long, value_name = "FILE", group = "what")]
    pub(crate) solidity: Option<PathBuf>,
    /// Write the verification key in snarkjs' JSON format
    #[arg(long, value_name = "FILE", group = "what")]
    pub(crate) snarkjs: Option<PathBuf>,
    /// Write the circuit as an .r1cs file, for snarkjs' groth16 setup
    #[arg(long, value_name = "FILE", group = "what")]
    pub(crate) r1cs: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("what").required(true).multiple(true)))]
pub(crate) struct ImportArgs {
    /// File of a key that zkwhirl keys export --key wrote
    #[arg(long, value_name = "FILE", group = "what", conflicts_with = "zkey")]
    pub(crate) key: Option<PathBuf>,
    /// Circuit that the ceremony's key belongs to
    #[arg(long, value_name = "NAME", requires = "zkey")]
    pub(crate) circuit: Option<Circuit>,
    /// File of the final key of a snarkjs ceremony
    #[arg(long, value_name = "FILE", group = "what", requires = "circuit")]
    pub(crate) zkey: Option<PathBuf>,
    /// File of the ceremony's prepared powers of tau; every point of the key is checked against them
    #[arg(long, value_name = "FILE", requires = "zkey")]
    pub(crate) ptau: Option<PathBuf>,
    /// Hash suite of the clients' notes, for the two clients' verification keys
    #[arg(long, env = "ZKWHIRL_SUITE", default_value = "pedersen")]
    pub(crate) suite: Suite,
    /// File of the join-split circuit's verification key, in rollup_cli's format
    #[arg(long, value_name = "FILE", group = "what")]
    pub(crate) join_split_vk: Option<PathBuf>,
    /// File of the account circuit's verification key, in rollup_cli's format
    #[arg(long, value_name = "FILE", group = "what")]
    pub(crate) account_vk: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// Circuit names, or beginnings of key ids
    #[arg(value_name = "KEY", required = true)]
    pub(crate) keys: Vec<String>,
    /// Remove the keys without asking for confirmation
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}
