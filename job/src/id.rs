//! Identities: jobs by content, tickets by Falafel's random id.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Command;

/// A text that is not a 32-byte id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not an id: 64 hex digits are needed")]
pub struct IdError {
    text: String,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub struct $name(pub [u8; 32]);

        impl $name {
            /// The first four hex digits and an ellipsis, for people.
            pub fn short(&self) -> String {
                format!("{}…", hex::encode(&self.0[..2]))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), hex::encode(&self.0[..4]))
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let mut bytes = [0; 32];
                hex::decode_to_slice(text, &mut bytes).map_err(|_| IdError {
                    text: text.chars().take(80).collect(),
                })?;
                Ok(Self(bytes))
            }
        }
    };
}

id! {
    /// The unit of proving: equal requests are one job, whoever asks and however
    /// often.
    ///
    /// The bridge that takes a request names its job, with [`JobId::of`]. For
    /// everybody else the id is opaque: a reader never computes it again to
    /// accept or refuse what it read, since a later release may hash otherwise.
    JobId
}

id! {
    /// One Falafel id on one upstream: it waits for an answer and must be
    /// pinged until it has one.
    TicketId
}

impl JobId {
    /// The id of the job that asks for `command` with `data`: SHA-256 over
    /// command ‖ data.
    pub fn of(command: Command, data: &[u8]) -> Self {
        Self::of_code(command.code(), data)
    }

    /// The same for a command's code, also an unknown one: such a job is parked,
    /// and needs a name for that.
    pub fn of_code(command: u32, data: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(command.to_be_bytes());
        hash.update(data);
        Self(hash.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_requests_are_one_job_and_the_command_counts() {
        let id = JobId::of(Command::CreateProof, b"abc");
        assert_eq!(id, JobId::of(Command::CreateProof, b"abc"));
        assert_ne!(id, JobId::of(Command::GetAccountVk, b"abc"));
        assert_ne!(id, JobId::of(Command::CreateProof, b"abd"));
        assert_eq!(id.to_string().parse::<JobId>().unwrap(), id);
    }

    #[test]
    fn a_text_that_is_no_id_is_named() {
        let error = "12xy".parse::<JobId>().unwrap_err();
        let why = "\"12xy\" is not an id: 64 hex digits are needed";
        assert_eq!(error.to_string(), why);
    }
}
