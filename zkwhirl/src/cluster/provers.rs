//! Which prover stands behind a slot.

use std::{path::PathBuf, sync::Arc, thread::available_parallelism, time::Duration};

use zkwhirl_broker_adapter::bridge::{ClientVks, ReplyVerifier};
use zkwhirl_falafel::users::{ClientProofs, MockProofs};
use zkwhirl_keystore::{KeyError, KeyStore, Provenance};
use zkwhirl_prover::{
    Prover, Proverless,
    native::{Engine, EngineConfig, self_test_request},
    stdio::{ChildConfig, ChildProver, Dialect},
};

use super::{Checker, FleetKeys, REDIS_URL, Rollups, StoredClientVks, key_store, users};

/// Seed of development keys: they are the same on every machine, and so is
/// everybody's power to forge proofs under them.
pub const DEV_SEED: u64 = 2026;

/// How a key that is missing is made.
pub fn provenance(allow_dev_keys: bool) -> Provenance {
    if allow_dev_keys {
        Provenance::DevSeeded { seed: DEV_SEED }
    } else {
        Provenance::SingleParty
    }
}

/// The provers of a cluster.
#[derive(Debug, Clone)]
pub enum Provers {
    /// The native engine, one child process a slot.
    Native(NativeProvers),
    /// Mock replies after a delay, in this process.
    Proverless {
        /// What is rolled up.
        rollups: Rollups,
        /// How long a mock reply takes.
        work: Duration,
    },
}

/// How the native engine's children are started.
#[derive(Debug, Clone)]
pub struct NativeProvers {
    /// What is rolled up.
    pub rollups: Rollups,
    /// The `zkwhirl` binary.
    pub program: PathBuf,
    /// Where keys are kept.
    pub data_dir: PathBuf,
    /// The largest domain that a circuit may need.
    pub max_circuit_size: u64,
    /// Use, and make when missing, development keys.
    pub allow_dev_keys: bool,
    /// Where the fleet shares its keys; `None`: they are this machine's alone.
    pub fleet: Option<FleetKeys>,
}

impl Provers {
    /// What verifies their replies.
    pub fn checker(&self) -> Result<Checker, KeyError> {
        Ok(match self {
            Self::Native(native) => {
                let keys = native.key_store()?;
                Checker::native(native.rollups, native.max_circuit_size, keys)
            }
            Self::Proverless { rollups, .. } => Checker::proverless(*rollups),
        })
    }

    pub(super) fn verifier(&self) -> Result<Arc<dyn ReplyVerifier>, KeyError> {
        Ok(Arc::new(self.checker()?))
    }

    /// The verification keys of clients, when the prover has any to keep.
    pub(super) fn client_vks(&self) -> Result<Option<Arc<dyn ClientVks>>, KeyError> {
        let Self::Native(native) = self else {
            return Ok(None);
        };
        let (store, suite) = (native.key_store()?, native.rollups.suite);
        Ok(Some(Arc::new(StoredClientVks::new(store, suite, false))))
    }

    /// What the simulated Falafel's users prove with.
    pub fn users(&self) -> Result<Arc<dyn ClientProofs>, KeyError> {
        Ok(match self {
            Self::Native(native) => users(Engine::with_store(
                native.engine_config(),
                native.key_store()?,
            )),
            Self::Proverless { .. } => Arc::new(MockProofs),
        })
    }

    /// A prover for one of `slots` slots.
    pub fn prover(&self, slots: usize) -> Box<dyn Prover> {
        match self {
            Self::Native(native) => Box::new(ChildProver::new(native.child(slots))),
            Self::Proverless { rollups, work } => {
                Box::new(Proverless::new(rollups.suite, rollups.sizes, *work))
            }
        }
    }
}

impl NativeProvers {
    /// The keys that the children use.
    pub fn key_store(&self) -> Result<Arc<dyn KeyStore>, KeyError> {
        key_store(&self.data_dir, self.fleet.as_ref())
    }

    /// The engine that the children run, for use in this process.
    fn engine_config(&self) -> EngineConfig {
        let Rollups { suite, sizes } = self.rollups;
        EngineConfig {
            suite,
            sizes,
            data_dir: self.data_dir.clone(),
            max_circuit_size: self.max_circuit_size,
            provenance: provenance(self.allow_dev_keys),
            allow_dev_keys: self.allow_dev_keys,
        }
    }

    fn child(&self, slots: usize) -> ChildConfig {
        let Rollups { suite, sizes } = self.rollups;
        let positional = [
            "unused".to_owned(), // the native engine needs no reference string
            sizes.txs_per_inner().to_string(),
            sizes.inners_per_root().to_string(),
            "false".to_owned(), // mock
            "true".to_owned(),  // lazy: a claim worker need not load rollup keys
            "true".to_owned(),  // persist
            self.data_dir.display().to_string(),
        ];
        let mut arguments = vec!["rollup-cli".to_owned()];
        arguments.extend(positional);
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
        // The slots share the machine; more threads than cores only wait.
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
            // It answers before it loads any key.
            start_deadline: Duration::from_secs(60),
            grace: Duration::from_secs(2),
            self_test: Some(self_test_request(suite)),
        }
    }
}
