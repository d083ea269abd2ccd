//! The commands of Falafel's job frames.

use std::fmt;

/// What a frame asks for or answers; a big-endian `u32` on the wire.
///
/// `RequestWork` and `NoWork` exist in the original enumeration but are never
/// sent. In an answer every command but [`Command::Ack`] rejects the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Command {
    /// 0: never on the wire.
    RequestWork = 0,
    /// 1: never on the wire.
    NoWork = 1,
    /// 2: the verification key of the join-split circuit.
    GetJoinSplitVk = 2,
    /// 3: the verification key of the account circuit.
    GetAccountVk = 3,
    /// 4: a proof; the data is a proof request.
    CreateProof = 4,
    /// 5: the job succeeded; the data is its reply.
    Ack = 5,
    /// 6: the job is rejected; the data is UTF-8 text.
    Nack = 6,
}

impl Command {
    /// The command with this code, if there is one.
    pub fn from_code(code: u32) -> Option<Self> {
        Some(match code {
            0 => Self::RequestWork,
            1 => Self::NoWork,
            2 => Self::GetJoinSplitVk,
            3 => Self::GetAccountVk,
            4 => Self::CreateProof,
            5 => Self::Ack,
            6 => Self::Nack,
            _ => return None,
        })
    }

    /// The code on the wire.
    pub fn code(self) -> u32 {
        self as u32
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RequestWork => "request-work",
            Self::NoWork => "no-work",
            Self::GetJoinSplitVk => "get-join-split-vk",
            Self::GetAccountVk => "get-account-vk",
            Self::CreateProof => "create-proof",
            Self::Ack => "ack",
            Self::Nack => "nack",
        })
    }
}
