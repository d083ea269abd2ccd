//! Proof ids of txs, which are their public input 0.

/// A deposit from a public account (join-split).
pub const DEPOSIT: u64 = 1;
/// A withdrawal to a public account (join-split).
pub const WITHDRAW: u64 = 2;
/// A transfer (join-split).
pub const SEND: u64 = 3;
/// The creation or change of an account.
pub const ACCOUNT: u64 = 4;
/// A deposit into a defi interaction (join-split).
pub const DEFI_DEPOSIT: u64 = 5;
/// The claim of a defi deposit.
pub const CLAIM: u64 = 6;
/// Every proof id of a tx.
pub const ALL: [u64; 6] = [DEPOSIT, WITHDRAW, SEND, ACCOUNT, DEFI_DEPOSIT, CLAIM];
