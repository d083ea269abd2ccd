//! The account statement of the poseidon suite: an alias gets its account key
//! and first signing keys, or more signing keys later.

mod circuit;
mod rules;
mod witness;

#[cfg(test)]
mod tests;

pub use circuit::check;
pub use rules::published;
pub(crate) use witness::AccountTx;
pub use witness::AccountWitness;
