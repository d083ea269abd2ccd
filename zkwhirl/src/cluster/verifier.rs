//! One check of replies, for the bridge's gate and for the simulated Falafel.

use std::path::Path;

use bytes::Bytes;
use zkwhirl_broker_adapter::bridge::ReplyVerifier;
use zkwhirl_circuits::Suite;
use zkwhirl_falafel::ReplyCheck;
use zkwhirl_job::{Kind, Request, Sizes};
use zkwhirl_keystore::EmbeddedKeyStore;
use zkwhirl_prover::{Proverless, native::NativeVerifier};

/// What is rolled up.
#[derive(Debug, Clone, Copy)]
pub struct Rollups {
    /// The hashes of the statements.
    pub suite: Suite,
    /// The sizes that Falafel and the provers agree on.
    pub sizes: Sizes,
}

/// Checks replies of the cluster's provers.
#[derive(Debug)]
pub enum Checker {
    /// Proofs of the native engine.
    Native(NativeVerifier),
    /// The mock's replies.
    Proverless(Proverless),
}

impl Checker {
    /// A check of native proofs under the keys of a data directory.
    pub fn native(rollups: Rollups, data_dir: &Path) -> Self {
        Self::Native(NativeVerifier::new(
            rollups.suite,
            rollups.sizes,
            EmbeddedKeyStore::new(data_dir),
        ))
    }

    /// A check of mock replies.
    pub fn proverless(rollups: Rollups) -> Self {
        let Rollups { suite, sizes } = rollups;
        Self::Proverless(Proverless::new(suite, sizes, std::time::Duration::ZERO))
    }
}

impl ReplyVerifier for Checker {
    fn verify(&self, kind: Kind, request: &Bytes, reply: &Bytes) -> Result<(), String> {
        if matches!(kind, Kind::JoinSplitVk | Kind::AccountVk) {
            return Err(format!("no prover here makes replies to {kind} jobs"));
        }
        let request = Request::parse(request).map_err(|error| error.to_string())?;
        self.check(&request, reply)
    }
}

impl ReplyCheck for Checker {
    fn check(&self, request: &Request, reply: &Bytes) -> Result<(), String> {
        match self {
            Self::Native(verifier) => verifier.verify(request, reply),
            Self::Proverless(mock) => mock.check(request, reply),
        }
    }
}
