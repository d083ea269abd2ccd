//! What a client's proof says about a tx: its statement and its digest.

use ark_bn254::Fr;

use crate::account::{self, AccountWitness};
use crate::circuit::Input;
use crate::field;
use crate::join_split::{self, JoinSplitWitness};
use crate::published::{Published, hash_chain};
use crate::statement::StatementKind;

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

/// The statement that a client with this proof id proves. `None`: there is
/// none, so no tx has this proof id. That includes 0, which the original gives
/// to padding: a tx with it would be covered by no client proof.
pub const fn client_statement(proof_id: u64) -> Option<StatementKind> {
    match proof_id {
        proof_id::DEPOSIT | proof_id::WITHDRAW | proof_id::SEND | proof_id::DEFI_DEPOSIT => {
            Some(StatementKind::JoinSplit)
        }
        proof_id::ACCOUNT => Some(StatementKind::Account),
        proof_id::CLAIM => Some(StatementKind::Claim),
        _ => None,
    }
}

/// All values of a statement that a client makes itself, in the poseidon suite.
#[derive(Clone, Debug)]
pub enum ClientWitness {
    /// A payment.
    JoinSplit(Box<JoinSplitWitness>),
    /// An account's registration.
    Account(Box<AccountWitness>),
}

impl ClientWitness {
    /// Its statement.
    pub fn statement(&self) -> StatementKind {
        match self {
            Self::JoinSplit(_) => StatementKind::JoinSplit,
            Self::Account(_) => StatementKind::Account,
        }
    }

    /// The 16 published fields; they mean something only if the rules hold.
    pub fn published(&self) -> Published {
        match self {
            Self::JoinSplit(witness) => join_split::published(witness),
            Self::Account(witness) => account::published(witness),
        }
    }
}

impl<'a> From<&'a ClientWitness> for Input<'a> {
    fn from(witness: &'a ClientWitness) -> Self {
        match witness {
            ClientWitness::JoinSplit(witness) => Self::JoinSplit(witness),
            ClientWitness::Account(witness) => Self::Account(witness),
        }
    }
}

/// The public input of the statement that a tx's client proves: a chain over
/// its 16 public inputs as the client published them, before a rollup
/// completes commitment 1. `None` if no client statement has the proof id.
pub fn client_digest(fields: &[Fr; CLIENT_FIELDS]) -> Option<Fr> {
    let statement = client_statement(field::small(&fields[0])?)?;
    Some(hash_chain(statement.tag(), fields))
}
