//! The tx rollup statement: an inner rollup's state transition, given the
//! public inputs of its txs. In one circuit, or in pieces that share its rows.

mod circuit;
mod data_tree;
mod links;
mod lists;
mod nullifier;
mod piece;
mod rules;
mod segment;
mod slot;
mod state;
mod witness;

#[cfg(test)]
mod tests;

pub use circuit::check;
pub use piece::{NotesWitness, SegmentWitness, ShardWitness};
pub(crate) use piece::{TxNotes, TxNullifiers, TxSegment};
pub(crate) use rules::before_segments;
pub use rules::published_fields;
pub use state::RunningState;
pub use witness::{MAX_TXS, NullifierWitness, TxRollupWitness, TxWitness};
pub(crate) use witness::{TxRollup, are_slots};
