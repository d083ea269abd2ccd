//! The provers of the slots.

use std::{path::PathBuf, sync::Arc, thread::available_parallelism, time::Duration};

use zkwhirl_bridge::ClientVks;
use zkwhirl_falafel::users::{ClientProofs, MockProofs};
use zkwhirl_job::Topic;
use zkwhirl_keystore::{KeyError, KeyStore, Provenance};
use zkwhirl_prover::{
    Prover, Proverless,
    native::{Engine, EngineConfig, Setting, self_test_request},
    stdio::{ChildConfig, ChildProver, CliArguments, Dialect},
};

use super::{
    Checker, CliProvers, FleetKeys, Rollups, StoredClientVks, key_store, keys::REDIS_URL, users,
};

/// Seed of the development keys. The keys are the same on every machine, and
/// anyone can forge proofs under them.
pub(super) const DEV_SEED: u64 = 2026;

/// The provenance of a key that this process generates.
pub fn provenance(allow_dev_keys: bool) -> Provenance {
    match allow_dev_keys {
        true => Provenance::DevSeeded { seed: DEV_SEED },
        false => Provenance::SingleParty,
    }
}

/// The provers of a cluster.
#[derive(Debug, Clone)]
pub enum Provers {
    /// The native engine, in one child process per slot.
    Native(NativeProvers),
    /// Another program with `rollup_cli`'s protocol, in one process per slot.
    RollupCli(CliProvers),
    /// Mock replies after a delay, in this process.
    Proverless {
        /// The suite and the sizes of the rollups.
        rollups: Rollups,
        /// How long a mock proof takes.
        work: Duration,
    },
}

/// How the native engine's children are started.
#[derive(Debug, Clone)]
pub struct NativeProvers {
    /// The suite and the sizes of the rollups.
    pub rollups: Rollups,
    /// The path of the `zkwhirl` binary.
    pub program: PathBuf,
    /// Directory of the keys.
    pub data_dir: PathBuf,
    /// The largest evaluation domain that a circuit may need, in rows.
    pub max_circuit_size: u64,
    /// True: development keys are used, and generated if missing.
    pub allow_dev_keys: bool,
    /// Where the fleet shares its keys; `None`: keys of this machine only.
    pub fleet: Option<FleetKeys>,
    /// The topics whose keys a child loads before it is ready. A key of another
    /// topic is loaded by the first job that needs it.
    pub load_first: Vec<Topic>,
    /// The limit of a child's private memory, in bytes; `None`: no limit.
    pub memory_limit: Option<u64>,
}

impl Provers {
    /// The suite and the sizes of the rollups.
    pub fn rollups(&self) -> Rollups {
        match self {
            Self::Native(native) => native.rollups,
            Self::RollupCli(cli) => cli.rollups(),
            Self::Proverless { rollups, .. } => *rollups,
        }
    }

    /// Returns the verifier of these provers' replies.
    pub fn checker(&self) -> Result<Checker, KeyError> {
        Ok(match self {
            Self::Native(native) => {
                let keys = native.key_store()?;
                Checker::native(native.rollups, native.max_circuit_size, keys)
            }
            Self::RollupCli(cli) => Checker::RollupCli(cli.sizes),
            Self::Proverless { rollups, .. } => Checker::proverless(*rollups),
        })
    }

    /// The store of clients' verification keys; `None` for provers that make
    /// mock replies, which are not keys.
    pub(super) fn client_vks(&self) -> Result<Option<Arc<dyn ClientVks>>, KeyError> {
        let store = match self {
            Self::Native(native) => native.key_store()?,
            Self::RollupCli(cli) if !cli.mock => key_store(&cli.data_dir, None)?,
            Self::RollupCli(_) | Self::Proverless { .. } => return Ok(None),
        };
        Ok(Some(Arc::new(StoredClientVks {
            store,
            suite: self.rollups().suite,
            proverless: false,
        })))
    }

    /// The provers of the simulated Falafel's users.
    pub fn users(&self) -> Result<Arc<dyn ClientProofs>, KeyError> {
        Ok(match self {
            Self::Native(native) => users(Engine::new(native.engine_config(), native.key_store()?)),
            Self::RollupCli(_) | Self::Proverless { .. } => Arc::new(MockProofs),
        })
    }

    /// Creates a prover for one of `slots` slots; its first job starts the process.
    pub fn prover(&self, slots: usize) -> Box<dyn Prover> {
        match self {
            Self::Native(native) => Box::new(ChildProver::new(native.child(slots))),
            Self::RollupCli(cli) => Box::new(ChildProver::new(cli.child())),
            Self::Proverless { rollups, work } => {
                Box::new(Proverless::new(rollups.suite, rollups.sizes, *work))
            }
        }
    }
}

impl NativeProvers {
    /// Opens the keystore that the children use.
    pub fn key_store(&self) -> Result<Arc<dyn KeyStore>, KeyError> {
        key_store(&self.data_dir, self.fleet.as_ref())
    }

    /// The settings of an engine in this process that proves as the children do.
    pub fn engine_config(&self) -> EngineConfig {
        let Rollups { suite, sizes } = self.rollups;
        let setting = Setting::new(suite, sizes, self.max_circuit_size);
        EngineConfig::new(setting, provenance(self.allow_dev_keys))
    }

    fn child(&self, slots: usize) -> ChildConfig {
        let Rollups { suite, sizes } = self.rollups;
        let positional = CliArguments {
            crs_dir: "unused".into(), // the native engine needs no reference string
            sizes,
            mock: false,
            lazy_init: self.load_first.is_empty(),
            persist: true,
            data_dir: self.data_dir.clone(),
        };
        let mut arguments = vec!["rollup-cli".to_owned()];
        arguments.extend(positional.to_strings());
        if !self.load_first.is_empty() {
            let topics: Vec<_> = self.load_first.iter().map(|topic| topic.name()).collect();
            arguments.push(format!("--topic={}", topics.join(",")));
        }
        arguments.push(format!("--suite={suite}"));
        arguments.push(format!("--max-circuit-size={}", self.max_circuit_size));
        if self.allow_dev_keys {
            arguments.push("--allow-dev-keys".to_owned());
        }
        let mut environment = Vec::new();
        if let Some(fleet) = &self.fleet {
            arguments.push("--fleet-keys".to_owned());
            arguments.push(format!("--namespace={}", fleet.namespace));
            if let Some(share) = &fleet.share {
                arguments.push(format!("--key-share={}", share.display()));
            }
            environment.push((REDIS_URL.to_owned(), fleet.redis_url.to_string()));
        }
        // The slots share the machine's cores; more threads than cores only wait.
        let threads = available_parallelism().map_or(1, |cores| cores.get() / slots.max(1));
        let threads = threads.max(1).to_string();
        environment.push(("RAYON_NUM_THREADS".to_owned(), threads));
        ChildConfig {
            name: format!("native/{suite}"),
            program: self.program.clone(),
            arguments,
            environment,
            sizes,
            dialect: Dialect::Native,
            // A lazy engine answers pings before it loads a key.
            start_deadline: match self.load_first.is_empty() {
                true => Duration::from_secs(60),
                false => Duration::from_secs(3600),
            },
            grace: Duration::from_secs(2),
            self_test: Some(self_test_request(suite)),
            verifier_first: None,
            memory_limit: self.memory_limit,
        }
    }
}
