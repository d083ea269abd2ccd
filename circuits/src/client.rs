//! Statements that clients prove themselves.

use crate::account::{self, AccountWitness};
use crate::error::StatementError;
use crate::join_split::{self, JoinSplitWitness};
use crate::published::Published;
use crate::statement::{StatementKind, Witness, client_tag};

pub use crate::published::CLIENT_FIELDS;
pub use crate::statement::client_digest;

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

    /// Checks every rule; gives the 16 published fields.
    pub fn check(&self) -> Result<Published, StatementError> {
        match self {
            Self::JoinSplit(witness) => join_split::check(witness),
            Self::Account(witness) => account::check(witness),
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

impl From<ClientWitness> for Witness {
    fn from(witness: ClientWitness) -> Self {
        match witness {
            ClientWitness::JoinSplit(witness) => Self::JoinSplit(witness),
            ClientWitness::Account(witness) => Self::Account(witness),
        }
    }
}

/// The statement that a client with this proof id proves. `None`: no tx has the
/// proof id; 0, which the original gives to padding, is one of these.
pub fn client_statement(proof_id: u64) -> Option<StatementKind> {
    let tag = client_tag(proof_id)?;
    let kinds = [
        StatementKind::JoinSplit,
        StatementKind::Account,
        StatementKind::Claim,
    ];
    kinds.into_iter().find(|kind| kind.facts().tag == tag)
}
