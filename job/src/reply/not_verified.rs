//! Why a verifier does not accept a reply.

use std::fmt::Display;

/// Why a verifier does not accept a reply, by what the caller does next. Each reason
/// is a whole sentence for logs and records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotVerified {
    /// The reply does not answer its request: it is malformed, a proof in it
    /// does not verify, or a proof names another key than the expected one.
    /// Prove the job again.
    #[error("{reason}")]
    Refused {
        /// What is wrong with the reply.
        reason: String,
    },
    /// Nothing is known about the reply: the expected key of a circuit, or the
    /// store of keys, is absent or unreadable now. Keep the reply and verify it
    /// later.
    #[error("{reason}")]
    CannotCheck {
        /// What is missing.
        reason: String,
    },
}

impl NotVerified {
    /// The reply does not answer its request.
    pub fn refused(reason: impl Display) -> Self {
        let reason = reason.to_string();
        Self::Refused { reason }
    }

    /// The verifier lacks the expected key now.
    pub fn cannot_check(reason: impl Display) -> Self {
        let reason = reason.to_string();
        Self::CannotCheck { reason }
    }

    /// Puts the name of a part of the reply before the reason.
    pub fn in_part(self, part: impl Display) -> Self {
        match self {
            Self::Refused { reason } => Self::refused(format_args!("{part}: {reason}")),
            Self::CannotCheck { reason } => Self::cannot_check(format_args!("{part}: {reason}")),
        }
    }
}
