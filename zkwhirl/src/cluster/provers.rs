//! Which prover stands behind a slot.

use std::{path::PathBuf, sync::Arc, thread::available_parallelism, time::Duration};

use zkwhirl_broker_adapter::bridge::ReplyVerifier;
use zkwhirl_prover::{
    Prover, Proverless,
    native::self_test_request,
    stdio::{ChildConfig, ChildProver, Dialect},
};

use super::{Checker, Rollups};

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
}

impl Provers {
    /// What verifies their replies.
    pub fn checker(&self) -> Checker {
        match self {
            Self::Native(native) => Checker::native(native.rollups, &native.data_dir),
            Self::Proverless { rollups, .. } => Checker::proverless(*rollups),
        }
    }

    pub(super) fn verifier(&self) -> Arc<dyn ReplyVerifier> {
        Arc::new(self.checker())
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
        // The slots share the machine; more threads than cores only wait.
        let threads = available_parallelism().map_or(1, |cores| cores.get() / slots.max(1));
        ChildConfig {
            name: format!("native/{suite}"),
            program: self.program.clone(),
            arguments,
            environment: vec![("RAYON_NUM_THREADS".to_owned(), threads.max(1).to_string())],
            sizes,
            dialect: Dialect::Native,
            start_deadline: Duration::from_secs(60),
            grace: Duration::from_secs(2),
            self_test: Some(self_test_request(suite)),
        }
    }
}
