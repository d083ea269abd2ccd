//! Native statements over BN254: hash suites, R1CS, witnesses, published fields. No I/O.

pub mod bridge;
mod chain;
mod circuit;
mod error;
pub mod field;
mod gadgets;
pub mod notes;
mod pedersen;
mod plan;
mod poseidon;
pub mod proof_id;
pub mod published;
pub mod r1cs;
mod rule;
pub mod schnorr;
mod signer;
mod statement;
mod suite;
#[cfg(any(test, feature = "test-util"))]
pub mod test_util;
#[cfg(test)]
mod tests;
pub mod tree;

pub use chain::{Chain, Piece, SeamError, Seams};
pub use circuit::{CheckError, CheckReport, Circuit, UnknownCircuit};
pub use error::StatementError;
pub use plan::{Plan, TooLarge};
pub use root_rollup::MAX_INNERS;
pub use rule::{Rule, Scope, Violation};
pub use signer::Signer;
pub use statement::*;
pub use suite::{Suite, UnknownSuite};
pub use tx_rollup::MAX_TXS;
