//! Whole rollups, proved and verified: clients, claim, inner rollups, root
//! rollup, root verifier. The proofs are real ones, of the poseidon suite.

mod clients;
mod flips;
mod inner;
mod mock;
mod originals;
mod proved;
mod refusals;
mod whole;
