//! `rollup_cli`'s protocol over standard input and output: a server, behind which
//! the native engine proves, and the supervisor of a child that speaks the
//! protocol.
//!
//! Requests are a big-endian `u32` code and its payload without a length;
//! replies are `u32 length ‖ reply ‖ verified u8` for proofs, `u32 length ‖
//! key` for verification keys and the single byte 1 for a ping. Standard error
//! is free text; our own children also write [`notice`] lines there.

mod arguments;
mod child;
pub mod notice;
mod running;
mod server;
mod stderr;

pub use arguments::CliArguments;
pub use child::{ChildConfig, ChildProver, Dialect, Eager};
pub use server::{ProofAnswer, ProofService, serve};

/// Code of a request to prove a client's account transaction.
const ACCOUNT_PROOF: u32 = 4;
/// Code of a ping.
const PING: u32 = 666;
/// Code of a request for the join-split verification key.
const JOIN_SPLIT_VK: u32 = 100;
/// Code of a request for the account verification key.
const ACCOUNT_VK: u32 = 101;
