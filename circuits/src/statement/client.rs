//! The statement that a tx's client proves, as a rollup sees it.

use ark_bn254::Fr;

use super::account::AccountTx;
use super::claim::Claim;
use super::definition::Statement;
use super::join_split::JoinSplit;
use crate::field;
use crate::proof_id;
use crate::published::{CLIENT_FIELDS, hash_chain};

/// The tag of the statement that a client with this proof id proves. `None`: no
/// statement has the proof id, so no tx does. That includes 0, which the
/// original gives to padding: no client proof would cover a tx with it.
pub(crate) const fn client_tag(proof_id: u64) -> Option<u64> {
    match proof_id {
        proof_id::DEPOSIT | proof_id::WITHDRAW | proof_id::SEND | proof_id::DEFI_DEPOSIT => {
            Some(JoinSplit::TAG)
        }
        proof_id::ACCOUNT => Some(AccountTx::TAG),
        proof_id::CLAIM => Some(Claim::TAG),
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
