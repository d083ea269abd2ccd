//! The check of replies that the bridge and the simulated Falafel share.

use std::sync::Arc;

use bytes::Bytes;
use zkwhirl_bridge::ReplyVerifier;
use zkwhirl_circuits::{StatementKind, Suite};
use zkwhirl_falafel::ReplyCheck;
use zkwhirl_job::{
    Kind, Request, Sizes,
    reply::{self, NotVerified, ReplyShape},
};
use zkwhirl_keystore::KeyStore;
use zkwhirl_prover::{
    CLIENT_VK_BYTES, Proverless,
    native::{NativeVerifier, Setting, published_fields},
};

use super::client_statement;

/// The hash suite and the sizes of the rollups.
#[derive(Debug, Clone, Copy)]
pub struct Rollups {
    /// The hash suite of the statements.
    pub suite: Suite,
    /// The sizes that Falafel and the provers agree on.
    pub sizes: Sizes,
}

/// Checks replies of the cluster's provers.
#[derive(Debug)]
pub enum Checker {
    /// Proofs of the native engine.
    Native(NativeVerifier),
    /// Mock replies.
    Proverless(Proverless),
    /// Replies of another program with `rollup_cli`'s protocol, for rollups of
    /// these sizes. The proofs are Aztec Connect's own; only the program can
    /// verify them, and reports success in the reply's verified byte. `Checker`
    /// checks the length and every published field that the request determines.
    RollupCli(Sizes),
}

impl Checker {
    /// Creates a verifier of native proofs with the keys of a store, for circuits
    /// of at most `max_circuit_size` rows.
    pub fn native(rollups: Rollups, max_circuit_size: u64, keys: Arc<dyn KeyStore>) -> Self {
        let setting = Setting::new(rollups.suite, rollups.sizes, max_circuit_size);
        Self::Native(NativeVerifier::new(setting, keys))
    }

    /// Creates a verifier of mock replies.
    pub fn proverless(rollups: Rollups) -> Self {
        let Rollups { suite, sizes } = rollups;
        Self::Proverless(Proverless::new(suite, sizes, std::time::Duration::ZERO))
    }

    /// Checks a client's verification key. An imported key passes: the keystore
    /// has checked its digest, and Falafel sends it to clients unchecked.
    fn client_vk(&self, statement: StatementKind, reply: &Bytes) -> Result<(), NotVerified> {
        match self {
            Self::Native(verifier) if statement.exists_in(verifier.setting.suite) => {
                verifier.verify_client_vk(statement, reply)
            }
            // The key will be stored, and Falafel's clients will use it.
            Self::RollupCli(_) if reply.len() != CLIENT_VK_BYTES => {
                Err(NotVerified::refused(format_args!(
                    "the verification key has {} bytes, must have {CLIENT_VK_BYTES}",
                    reply.len()
                )))
            }
            _ => Ok(()),
        }
    }
}

impl ReplyVerifier for Checker {
    fn verify(&self, kind: Kind, request: &Bytes, reply: &Bytes) -> Result<(), NotVerified> {
        if let Some(statement) = client_statement(kind) {
            return self.client_vk(statement, reply);
        }
        let request = Request::parse(request).map_err(NotVerified::refused)?;
        self.check(&request, reply)
    }
}

impl ReplyCheck for Checker {
    fn check(&self, request: &Request, reply: &Bytes) -> Result<(), NotVerified> {
        match self {
            Self::Native(verifier) => verifier.verify(request, reply),
            Self::Proverless(mock) => mock.check(request, reply),
            Self::RollupCli(sizes) => check_plonk(request, *sizes, reply),
        }
    }

    fn check_final(&self, buffer: &Bytes) -> Result<usize, NotVerified> {
        match self {
            Self::Native(verifier) => verifier
                .verify_rollup(buffer)
                .map(|rollup| rollup.proofs.len()),
            Self::Proverless(mock) => mock.check_final(buffer).map(|()| 0),
            Self::RollupCli(sizes) => ReplyShape::of(Kind::RootVerifier, *sizes)
                .check(Kind::RootVerifier, buffer)
                .map(|()| 0)
                .map_err(NotVerified::refused),
        }
    }
}

fn check_plonk(request: &Request, sizes: Sizes, reply: &Bytes) -> Result<(), NotVerified> {
    let kind = request.kind();
    let shape = ReplyShape::of(kind, sizes);
    shape.check(kind, reply).map_err(NotVerified::refused)?;
    let wanted = published_fields(request, Suite::Pedersen, sizes).map_err(NotVerified::refused)?;
    let got = reply::fields(reply, wanted.len()).unwrap_or_default();
    if got == wanted {
        return Ok(());
    }
    let mut both = wanted.iter().zip(&got).enumerate();
    Err(match both.find(|(_, (wanted, got))| wanted != got) {
        Some((at, (wanted, got))) => NotVerified::refused(format_args!(
            "field {at} of the reply to a {kind} job is {got}, but the request determines {wanted}"
        )),
        None => NotVerified::refused(format_args!("the reply to a {kind} job has too few fields")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_another_length_is_no_clients_key() {
        let checker = Checker::RollupCli(Sizes::new(1, 1).unwrap());
        let verify = |bytes| {
            let key = Bytes::from(vec![1; bytes]);
            ReplyVerifier::verify(&checker, Kind::AccountVk, &Bytes::new(), &key)
        };
        verify(1168).unwrap();
        let error = verify(1167).unwrap_err().to_string();
        assert_eq!(error, "the verification key has 1167 bytes, must have 1168");
    }
}
