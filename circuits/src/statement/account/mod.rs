//! The account statement of the poseidon suite: it gives an alias its account
//! key and first signing keys, or registers more signing keys later.

mod circuit;
mod rules;

#[cfg(test)]
mod tests;

use ark_bn254::Fr;

use crate::signer::Signer;

pub use circuit::check;
pub use rules::published;

/// Length of an alias's hash in bits.
const ALIAS_BITS: usize = 224;

/// The account statement; it has only one size.
#[derive(Clone, Copy)]
pub(crate) struct AccountTx;

/// All values of an account tx, whether or not they follow the rules.
#[derive(Clone, Debug, Default)]
pub struct AccountWitness {
    /// A root of the data tree.
    pub data_root: Fr,
    /// Whether this tx creates the account: the account key signs, and neither
    /// the alias nor the account key can be registered again.
    pub create: bool,
    /// x-coordinate of the account key.
    pub account_key_x: Fr,
    /// x-coordinates of the signing keys to register; zero for no key.
    pub new_keys: [Fr; 2],
    /// The signing key, its account note and signature, and the account's alias.
    pub signer: Signer,
}
