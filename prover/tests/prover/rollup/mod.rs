//! Tests of whole rollups: clients, claims, inner rollups, root rollup, root
//! verifier. The proofs are real, in the poseidon suite.

mod clients;
mod flips;
mod inner;
mod mock;
mod originals;
mod proved;
mod refusals;
mod whole;
