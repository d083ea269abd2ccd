//! Whole rollups, proved and verified: claim, inner rollups, root rollup, root
//! verifier. The proofs are real ones, of the poseidon suite.
#![expect(clippy::unwrap_used, reason = "a step that fails must fail the test")]

mod mock;
mod refusals;
mod stage;
mod whole;
mod world;
