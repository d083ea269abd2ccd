//! Whole rollups, proved and verified: clients, claim, inner rollups, root
//! rollup, root verifier. The proofs are real ones, of the poseidon suite.

mod flips;
mod mock;
mod originals;
mod refusals;
mod stage;
mod wallets;
mod whole;

use zkwhirl_prover::native::{Engine, verify_client};
