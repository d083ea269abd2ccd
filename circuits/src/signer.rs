//! The signer of a client's statement: a signing key and the account note that
//! registers the key.

use ark_bn254::Fr;

use crate::rule::{Rule, Violations};
use crate::schnorr::{self, PublicKey, Signature};
use crate::suite::Suite;
use crate::tree::{self, DATA_DEPTH};

/// A signing key with its signature and the path of its account note.
///
/// The note is `c_5(alias hash, account key x, signing key x)`. If a statement
/// needs no account note, alias, index and siblings may have any values.
#[derive(Clone, Debug, Default)]
pub struct Signer {
    /// The hash of the account's alias.
    pub alias_hash: Fr,
    /// Index of the account note in the data tree.
    pub index: Fr,
    /// The siblings of the account note, leaf level first.
    pub siblings: [Fr; DATA_DEPTH],
    /// The signing key's coordinates.
    pub key: (Fr, Fr),
    /// The signature of the statement's public input.
    pub signature: Signature,
}

impl Signer {
    /// Returns a signer for a key that no account note registers, without a signature yet.
    pub fn unregistered(key: &PublicKey) -> Self {
        Self {
            key: key.coordinates(),
            ..Self::default()
        }
    }

    /// Checks that the signing key is a point of the curve and that its
    /// signature of the message is valid.
    pub(crate) fn demand_signature(&self, message: Fr, broken: &mut Violations) {
        match schnorr::point(self.key.0, self.key.1) {
            None => broken.demand(false, Rule::SigningKeyCurve),
            Some(key) => {
                let signed = schnorr::verify(key, message, &self.signature);
                broken.demand(signed, Rule::Signature);
            }
        }
    }

    /// Returns the data root that the path leads to from the account note.
    pub(crate) fn folded_root(&self, account_key_x: Fr) -> Fr {
        let note = Suite::Poseidon.account_note(self.alias_hash, account_key_x, self.key.0);
        tree::fold(Suite::Poseidon, note, &self.siblings, self.index.into(), 0)
    }
}
