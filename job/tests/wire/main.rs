//! Requests, replies and envelopes: written bytes are read, other bytes are refused.

#![expect(clippy::unwrap_used, reason = "a step that fails must fail the test")]

mod bundle;
mod client_proofs;
mod describe;
mod envelope;
mod golden;
mod malformed;
mod native_proof;
mod vectors;
