//! What is written is read, and nothing else is: requests, replies, envelopes.

#![expect(clippy::unwrap_used, reason = "a step that fails must fail the test")]

mod bundle;
mod client_proofs;
mod describe;
mod envelope;
mod golden;
mod malformed;
mod native_proof;
mod vectors;
