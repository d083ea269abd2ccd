//! The limits that bound what is read from outside, in one place.

/// A proof request: the largest real one is 1,087,848 bytes (28 txs, 32
/// bridges, 16 assets). A root verifier's is a whole reply behind 8 bytes.
pub const REQUEST_BYTES: usize = REPLY_BYTES + 8;
/// A reply: the original's largest is 268,736 bytes (28 × 32 root rollup); a
/// native one carries the proofs of all its inner rollups.
pub const REPLY_BYTES: usize = 2 << 20;
/// A verification key buffer: the real ones are 1,168 bytes.
pub const VK_BYTES: usize = 64 << 10;
/// The text of an error that goes into a frame, a log line or a record.
pub const ERROR_TEXT_BYTES: usize = 4 << 10;
/// Transactions of an inner rollup.
pub const TXS: u32 = 64;
/// Inner rollups of a root rollup.
pub const INNERS: u32 = 64;
/// One inner proof inside a root rollup request.
pub const INNER_PROOF_BYTES: u32 = 64 << 10;
/// Bridge call data entries of a rollup (a fixed size of the protocol).
pub const BRIDGES: u32 = 32;
/// Asset ids of a rollup (a fixed size of the protocol).
pub const ASSETS: u32 = 16;
/// Attempts whose records travel with a job.
pub const ATTEMPT_RECORDS: usize = 32;
