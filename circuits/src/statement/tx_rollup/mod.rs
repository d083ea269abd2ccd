//! The tx rollup statement: an inner rollup's state transition, given the
//! public inputs of its txs. In one circuit, or in pieces that share its rows.

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
