//! The native statements over BN254: suites of hashes, R1CS, witnesses, published fields. No files, no networks.

pub mod bridge;
mod circuit;
pub mod client;
mod error;
pub mod field;
mod gadgets;
pub mod notes;
pub mod pedersen;
mod plan;
pub mod poseidon;
pub mod published;
pub mod r1cs;
pub mod schnorr;
mod signer;
pub mod statement;
mod suite;
pub mod tree;

pub use circuit::{CheckError, CheckReport, Circuit, Input, UnknownCircuit, Witness};
pub use error::{Rule, StatementError};
pub use plan::{Plan, TooLarge};
pub use signer::Signer;
pub use statement::{MAX_INNERS, MAX_TXS, StatementKind};
pub use statement::{account, claim, join_split, root_rollup, tx_rollup};
pub use suite::{HashIndex, MAX_DEPTH, Suite, UnknownSuite};
