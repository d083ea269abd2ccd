//! The ids of jobs, made from their content, and of tickets, random ids of Falafel.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Command;

/// The error of a text that is not a 32-byte id.
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
            /// The first four hex digits and an ellipsis, for log lines.
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
    /// The id of a job, the unit of proving: equal requests are one job, from any
    /// number of tickets.
    ///
    /// The bridge that takes a request computes the job's id, with [`JobId::of`]. For
    /// all other code the id is opaque: a reader never computes it again to accept or
    /// refuse a message, because a later release may use another hash.
    JobId
}

id! {
    /// The id of a ticket, given by Falafel on one upstream. A ticket waits for an
    /// answer and must be pinged until the answer is delivered.
    TicketId
}

impl JobId {
    /// Computes the id of the job with this command and data: SHA-256 over command ‖ data.
    pub fn of(command: Command, data: &[u8]) -> Self {
        Self::of_code(command.code(), data)
    }

    /// Computes the id for a command's code, also an unknown one: such a job becomes a
    /// dead letter, which needs an id.
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
