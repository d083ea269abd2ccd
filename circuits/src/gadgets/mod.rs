//! Building blocks of circuits: bits, comparisons, hashes, trees.

pub(crate) mod bits;
pub(crate) mod bridge;
pub(crate) mod edwards;
pub(crate) mod hash;
pub(crate) mod integer;
pub(crate) mod merkle;
mod pedersen;
pub(crate) mod poseidon;
pub(crate) mod schnorr;

#[cfg(test)]
mod tests;
