//! Statements that clients prove themselves, and their digests in a rollup.

use ark_bn254::Fr;

use super::account::{self, AccountWitness};
use super::join_split::{self, JoinSplitWitness};
use super::{StatementKind, Witness};
use crate::error::StatementError;
use crate::field;
use crate::proof_id;
use crate::published::{Published, hash_chain};

pub use crate::published::CLIENT_FIELDS;

/// All values of a client's statement in the poseidon suite.
#[derive(Clone, Debug)]
pub enum ClientWitness {
    /// A payment.
    JoinSplit(Box<JoinSplitWitness>),
    /// The creation or change of an account.
    Account(Box<AccountWitness>),
}

impl ClientWitness {
    /// Returns the statement.
    pub fn statement(&self) -> StatementKind {
        match self {
            Self::JoinSplit(_) => StatementKind::JoinSplit,
            Self::Account(_) => StatementKind::Account,
        }
    }

    /// Checks every rule; returns the 16 published fields.
    pub fn check(&self) -> Result<Published, StatementError> {
        match self {
            Self::JoinSplit(witness) => join_split::check(witness),
            Self::Account(witness) => account::check(witness),
        }
    }

    /// Returns the 16 published fields, which have a meaning only if the rules hold.
    pub fn published(&self) -> Published {
        match self {
            Self::JoinSplit(witness) => join_split::published(witness),
            Self::Account(witness) => account::published(witness),
        }
    }
}

impl From<ClientWitness> for Witness {
    fn from(witness: ClientWitness) -> Self {
        match witness {
            ClientWitness::JoinSplit(witness) => Self::JoinSplit(witness),
            ClientWitness::Account(witness) => Self::Account(witness),
        }
    }
}

/// Returns the statement that a client with this proof id proves; `None` if no
/// tx has the proof id. The original gives padding the proof id 0, which is not
/// a tx's: no client proof would cover a tx with proof id 0.
pub fn client_statement(proof_id: u64) -> Option<StatementKind> {
    match proof_id {
        proof_id::DEPOSIT | proof_id::WITHDRAW | proof_id::SEND | proof_id::DEFI_DEPOSIT => {
            Some(StatementKind::JoinSplit)
        }
        proof_id::ACCOUNT => Some(StatementKind::Account),
        proof_id::CLAIM => Some(StatementKind::Claim),
        _ => None,
    }
}

/// Returns the public input of the statement that a tx's client proves: a chain
/// over its 16 public inputs as the client published them, before a rollup
/// completes commitment 1. `None` if no client statement has the proof id.
pub fn client_digest(fields: &[Fr; CLIENT_FIELDS]) -> Option<Fr> {
    let statement = client_statement(field::small(&fields[0])?)?;
    Some(hash_chain(statement.facts().tag, fields))
}
