//! The join-split statement of the poseidon suite: up to two notes of one
//! owner and asset become two others, public value, or a defi deposit.

mod circuit;
mod rules;
mod witness;

#[cfg(test)]
mod tests;

pub use circuit::check;
pub use rules::published;
pub(crate) use witness::JoinSplit;
pub use witness::{InputNote, JoinSplitWitness, OutputNote};
