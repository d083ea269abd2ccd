//! Pieces of circuits: bits, comparisons, hashes, trees.

pub(crate) mod bits;
pub(crate) mod hash;
pub(crate) mod integer;
pub(crate) mod merkle;
mod pedersen;
mod poseidon;

#[cfg(test)]
mod tests;
