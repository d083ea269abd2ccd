//! The flags of `zkwhirl keys`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use url::Url;
use zkwhirl::cluster::FleetKeys;
use zkwhirl_circuits::{Circuit, Suite};

use super::{KeyArgs, RollupArgs, SizeArgs, power_of_two};

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// What each circuit proves, with its rows part by part
    Circuits(CircuitsArgs),
    /// The keys in the data directory, every byte checked
    #[command(after_help = "\
Examples:
  zkwhirl keys list
  zkwhirl keys list --json --redis-url redis://localhost    also whether each is the fleet's")]
    List(PlaceArgs),
    /// Make the keys of a suite and size that are missing
    #[command(after_help = "\
Examples:
  zkwhirl keys generate --suite poseidon --txs 1
  zkwhirl keys generate --circuit claim/poseidon --ptau powers.ptau    tau from a ceremony")]
    Generate(GenerateArgs),
    /// Check keys in full: bytes, circuit, points, and a proof
    #[command(after_help = "\
Examples:
  zkwhirl keys verify                    all of them; exit code 1 if one is not good
  zkwhirl keys verify claim/poseidon")]
    Verify(KeysVerifyArgs),
    /// Write a key, or parts of it, in files for others
    #[command(after_help = "\
Examples:
  zkwhirl keys export --vks vks      then, anywhere: zkwhirl verify rollup.bin --vk vks
  zkwhirl keys export claim/poseidon --key claim.key               for another machine
  zkwhirl keys export claim/poseidon --solidity Verifier.sol       a contract that verifies
  zkwhirl keys export claim/poseidon --snarkjs verification_key.json
  zkwhirl keys export claim/poseidon --r1cs claim.r1cs             for a ceremony; needs no key")]
    Export(ExportArgs),
    /// Take a key from another machine or from a ceremony, or the clients' verification keys
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

/// Where keys are, and the form of the answer. An option that is changed moves
/// behind the others, so all four are named in their order.
#[derive(Debug, Clone, Args)]
#[command(
    mut_arg("redis_url", |arg| arg.help("The fleet's Redis; without it the keys are this machine's alone")),
    mut_arg("namespace", |arg| arg),
    mut_arg("key_share", |arg| arg.help("The folder through which the fleet shares proving keys").requires("redis_url")),
    mut_arg("json", |arg| arg),
)]
pub(crate) struct PlaceArgs {
    /// Where keys are kept
    #[arg(long, value_name = "DIR", env = "DATA_DIR", default_value = "./data")]
    pub(crate) data_dir: PathBuf,
    #[command(flatten)]
    pub(crate) fleet: FleetKeyArgs,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// The Redis and the folder through which a fleet shares its keys, if it does.
#[derive(Debug, Clone, Args)]
pub(crate) struct FleetKeyArgs {
    /// The fleet's Redis
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
    /// What a fleet shares, when a Redis was named.
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
    /// Hashes of the statements; both when absent
    #[arg(long, env = "ZKWHIRL_SUITE")]
    pub(crate) suite: Option<Suite>,
    #[command(flatten)]
    pub(crate) size: SizeArgs<1>,
    /// The largest circuit: a power of two
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
    /// Make the key of this circuit alone
    #[arg(long, value_name = "NAME", conflicts_with_all = ["suite", "txs", "inners"])]
    pub(crate) circuit: Option<Circuit>,
    /// Make development keys from this seed instead of random ones: never for funds
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
    /// Circuit names, or starts of key ids; all keys when absent
    #[arg(value_name = "KEY")]
    pub(crate) keys: Vec<String>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("what").required(true).multiple(true)))]
pub(crate) struct ExportArgs {
    /// Circuit name, or start of a key id
    #[arg(value_name = "KEY", required_unless_present = "vks")]
    pub(crate) name: Option<String>,
    /// Write the verification keys of all keys to a folder, to verify with elsewhere
    #[arg(long, value_name = "DIR", group = "what")]
    pub(crate) vks: Option<PathBuf>,
    /// Write the whole key
    #[arg(long, value_name = "FILE", group = "what")]
    pub(crate) key: Option<PathBuf>,
    /// Write the verification key, compressed
    #[arg(long, value_name = "FILE", group = "what")]
    pub(crate) vk: Option<PathBuf>,
    /// Write a contract that verifies proofs
    #[arg(long, value_name = "FILE", group = "what")]
    pub(crate) solidity: Option<PathBuf>,
    /// Write the verification key as snarkjs reads it
    #[arg(long, value_name = "FILE", group = "what")]
    pub(crate) snarkjs: Option<PathBuf>,
    /// Write the circuit as snarkjs sets it up
    #[arg(long, value_name = "FILE", group = "what")]
    pub(crate) r1cs: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("what").required(true).multiple(true)))]
pub(crate) struct ImportArgs {
    /// A key that zkwhirl keys export wrote
    #[arg(long, value_name = "FILE", group = "what", conflicts_with = "zkey")]
    pub(crate) key: Option<PathBuf>,
    /// The circuit of the ceremony's key
    #[arg(long, value_name = "NAME", requires = "zkey")]
    pub(crate) circuit: Option<Circuit>,
    /// A key that snarkjs made and parties contributed to
    #[arg(long, value_name = "FILE", group = "what", requires = "circuit")]
    pub(crate) zkey: Option<PathBuf>,
    /// The ceremony's prepared powers of tau: every point is checked against them
    #[arg(long, value_name = "FILE", requires = "zkey")]
    pub(crate) ptau: Option<PathBuf>,
    /// Hashes of the clients' notes, for the two verification keys
    #[arg(long, env = "ZKWHIRL_SUITE", default_value = "pedersen")]
    pub(crate) suite: Suite,
    /// The join-split circuit's verification key, as rollup_cli writes it
    #[arg(long, value_name = "FILE", group = "what")]
    pub(crate) join_split_vk: Option<PathBuf>,
    /// The account circuit's verification key, as rollup_cli writes it
    #[arg(long, value_name = "FILE", group = "what")]
    pub(crate) account_vk: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// Circuit names, or starts of key ids
    #[arg(value_name = "KEY", required = true)]
    pub(crate) keys: Vec<String>,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}
