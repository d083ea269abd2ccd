use std::fmt::Display;

use crate::LedgerError;

/// What is wrong with a stored value. The ledger drops such a value, whatever the
/// reason; the text is for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Damage(pub(super) String);

impl Damage {
    pub(super) fn of(why: impl Display) -> Self {
        Self(why.to_string())
    }
}

/// A value that could not be written.
impl From<Damage> for LedgerError {
    fn from(Damage(why): Damage) -> Self {
        Self::Away(why)
    }
}
