//! One check of replies, for the bridge's gate and for the simulated Falafel.

use std::sync::Arc;

use bytes::Bytes;
use zkwhirl_broker_adapter::bridge::ReplyVerifier;
use zkwhirl_circuits::{StatementKind, Suite};
use zkwhirl_falafel::{FinalVerifier, ReplyCheck};
use zkwhirl_job::{Kind, Request, Sizes};
use zkwhirl_keystore::KeyStore;
use zkwhirl_prover::{
    Proverless,
    native::{NativeVerifier, Rollup},
};

use super::client_statement;

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
    /// A check of native proofs under the keys of a store.
    pub fn native(rollups: Rollups, keys: Arc<dyn KeyStore>) -> Self {
        Self::Native(NativeVerifier::new(rollups.suite, rollups.sizes, keys))
    }

    /// A check of mock replies.
    pub fn proverless(rollups: Rollups) -> Self {
        let Rollups { suite, sizes } = rollups;
        Self::Proverless(Proverless::new(suite, sizes, std::time::Duration::ZERO))
    }
}

impl Checker {
    /// Imported keys pass: Falafel hands their bytes to its clients without a
    /// look, and the keystore they come from has checked their digest.
    fn client_vk(&self, statement: StatementKind, reply: &Bytes) -> Result<(), String> {
        match self {
            Self::Native(verifier) if statement.exists_in(verifier.suite()) => {
                verifier.verify_client_vk(statement, reply)
            }
            _ => Ok(()),
        }
    }
}

impl ReplyVerifier for Checker {
    fn verify(&self, kind: Kind, request: &Bytes, reply: &Bytes) -> Result<(), String> {
        if let Some(statement) = client_statement(kind) {
            return self.client_vk(statement, reply);
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

impl FinalVerifier for Checker {
    fn verify(&self, buffer: &Bytes) -> Result<usize, String> {
        match self {
            Self::Native(verifier) => {
                let rollup = verifier.verify_rollup(buffer);
                let rollup = rollup.map_err(|error| error.to_string())?;
                covered(&rollup)?;
                Ok(rollup.pieces.len())
            }
            Self::Proverless(mock) => mock.check_final(buffer).map(|()| 0),
        }
    }
}

/// Clients of the poseidon suite are ours: a rollup holds the proof of each.
fn covered(rollup: &Rollup) -> Result<(), String> {
    let bare: usize = rollup.txs().values().map(|txs| txs.all - txs.covered).sum();
    if rollup.suite == Suite::Pedersen || bare == 0 {
        return Ok(());
    }
    Err(format!("{bare} txs are there without their client's proof"))
}
