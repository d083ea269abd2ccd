//! What an account tx is proved from.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;

use super::rules::published;
use crate::schnorr::PrivateKey;
use crate::signer::Signer;

/// All values of an account tx, whether or not they follow the rules.
#[derive(Clone, Debug)]
pub struct AccountWitness {
    /// A root of the data tree.
    pub data_root: Fr,
    /// Whether the account begins here: the account key itself signs, and
    /// alias and account key can never be registered again.
    pub create: bool,
    /// x-coordinate of the account key.
    pub account_key_x: Fr,
    /// x-coordinates of the signing keys to register; zero for none.
    pub new_keys: [Fr; 2],
    /// Who signs, and the account's alias.
    pub signer: Signer,
}

impl AccountWitness {
    /// Signs the statement as it stands now.
    pub fn sign(&mut self, key: &PrivateKey) {
        self.signer.signature = key.sign(published(self).public_input());
    }

    /// A witness of zeros, for building matrices.
    pub(crate) fn blank() -> Self {
        Self {
            data_root: Fr::ZERO,
            create: false,
            account_key_x: Fr::ZERO,
            new_keys: [Fr::ZERO; 2],
            signer: Signer::blank(),
        }
    }
}
