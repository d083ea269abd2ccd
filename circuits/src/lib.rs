//! The native statements over BN254: suites of hashes, R1CS, witnesses, published fields. No files, no networks.

pub mod bridge;
mod circuit;
pub mod claim;
pub mod client;
mod error;
pub mod field;
mod gadgets;
pub mod notes;
pub mod pedersen;
pub mod poseidon;
pub mod published;
pub mod r1cs;
pub mod root_rollup;
pub mod statement;
mod suite;
pub mod tree;
pub mod tx_rollup;

pub use circuit::{
    CheckError, CheckReport, Circuit, Input, MAX_INNERS, MAX_TXS, StatementKind, UnknownCircuit,
    Witness,
};
pub use error::{Rule, StatementError};
pub use suite::{HashIndex, MAX_DEPTH, Suite, UnknownSuite};
