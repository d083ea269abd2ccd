//! The tx rollup statement: an inner rollup's state transition, for given public
//! inputs of its txs. It has one circuit, or a chain of pieces that share its code.

mod circuit;
mod data_tree;
mod links;
mod lists;
mod nullifier;
mod rules;
mod segment;
mod slot;
mod witness;

#[cfg(test)]
mod tests;

pub use circuit::check;
pub use data_tree::NotesWitness;
pub(crate) use data_tree::TxNotes;
pub use nullifier::ShardWitness;
pub(crate) use nullifier::TxNullifiers;
#[cfg(test)]
pub(crate) use rules::evaluate;
pub use rules::published_fields;
pub(crate) use rules::segments;
pub use segment::SegmentWitness;
pub(crate) use segment::TxSegment;
pub use slot::RunningState;
pub use witness::{MAX_TXS, NullifierWitness, TxRollupWitness, TxWitness};
pub(crate) use witness::{TxRollup, are_slots};
