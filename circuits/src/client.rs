//! What a client's proof says about a tx: its statement and its digest.

use ark_bn254::Fr;

use crate::field;
use crate::published::{hash_chain, tag};

/// Public inputs of a client's statement: join-split, account or claim.
pub const CLIENT_FIELDS: usize = 16;

/// Proof ids of txs: public input 0.
pub mod proof_id {
    /// A deposit from a public account (join-split).
    pub const DEPOSIT: u64 = 1;
    /// A withdrawal to a public account (join-split).
    pub const WITHDRAW: u64 = 2;
    /// A transfer (join-split).
    pub const SEND: u64 = 3;
    /// An account's change.
    pub const ACCOUNT: u64 = 4;
    /// A deposit for a defi interaction (join-split).
    pub const DEFI_DEPOSIT: u64 = 5;
    /// The claim of a defi deposit.
    pub const CLAIM: u64 = 6;
    /// Every proof id of a tx.
    pub const ALL: [u64; 6] = [DEPOSIT, WITHDRAW, SEND, ACCOUNT, DEFI_DEPOSIT, CLAIM];
}

/// The tag of the statement that a client with this proof id proves. `None`:
/// there is none, so no tx has this proof id. That includes 0, which the
/// original gives to padding: a tx with it would be covered by no client proof.
pub const fn client_tag(proof_id: u64) -> Option<u64> {
    match proof_id {
        proof_id::DEPOSIT | proof_id::WITHDRAW | proof_id::SEND | proof_id::DEFI_DEPOSIT => {
            Some(tag::JOIN_SPLIT)
        }
        proof_id::ACCOUNT => Some(tag::ACCOUNT),
        proof_id::CLAIM => Some(tag::CLAIM),
        _ => None,
    }
}

/// The public input of the statement that a tx's client proves: a chain over
/// its 16 public inputs as the client published them, before a rollup
/// completes commitment 1. `None` if no client statement has the proof id.
pub fn client_digest(fields: &[Fr; CLIENT_FIELDS]) -> Option<Fr> {
    let tag = client_tag(field::small(&fields[0])?)?;
    Some(hash_chain(tag, fields))
}
