//! The account statement of the poseidon suite: an alias gets its account key
//! and first signing keys, or more signing keys later.

mod circuit;
mod rules;

#[cfg(test)]
mod tests;

use ark_bn254::Fr;

use crate::signer::Signer;

pub use circuit::check;
pub use rules::published;

/// Bits of an alias's hash.
const ALIAS_BITS: usize = 224;

/// The account statement, which has one size.
#[derive(Clone, Copy)]
pub(crate) struct AccountTx;

/// All values of an account tx, whether or not they follow the rules.
#[derive(Clone, Debug, Default)]
pub struct AccountWitness {
    /// A root of the data tree.
    pub data_root: Fr,
    /// Whether this tx creates the account: the account key signs, and alias and
    /// account key can never be registered again.
    pub create: bool,
    /// x-coordinate of the account key.
    pub account_key_x: Fr,
    /// x-coordinates of the signing keys to register; zero for none.
    pub new_keys: [Fr; 2],
    /// The signing key, its registration and signature, and the account's alias.
    pub signer: Signer,
}
