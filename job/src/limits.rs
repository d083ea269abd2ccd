//! The limits of all input from outside.

/// The longest proof request in bytes. The largest real one is 1,087,848 bytes (28
/// txs, 32 bridges, 16 assets); a root verifier's is a whole reply after 8 bytes.
pub const REQUEST_BYTES: usize = REPLY_BYTES + 8;
/// The longest reply in bytes. The original's largest is 268,736 bytes (28 × 32 root
/// rollup); a native root rollup's contains the proofs of all its inner rollups.
pub const REPLY_BYTES: usize = 2 << 20;
/// The longest verification key in bytes; the real ones have 1,168 bytes.
pub const VK_BYTES: usize = 64 << 10;
/// The longest text of an error in a frame, a log line or a record, in bytes.
pub const ERROR_TEXT_BYTES: usize = 4 << 10;
/// How many transactions an inner rollup has, at most.
pub const TXS: u32 = 64;
/// How many inner rollups a root rollup has, at most.
pub const INNERS: u32 = 64;
/// The longest inner proof inside a root rollup request, in bytes.
pub const INNER_PROOF_BYTES: u32 = 64 << 10;
/// How many bridge call data entries a rollup has (a constant of the protocol).
pub const BRIDGES: u32 = 32;
/// How many asset ids a rollup has (a constant of the protocol).
pub const ASSETS: u32 = 16;
/// How many records of failed attempts travel with a job, at most.
pub const ATTEMPT_RECORDS: usize = 32;
