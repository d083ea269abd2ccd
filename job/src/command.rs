//! The commands of Falafel's job frames.

use crate::named;

named! {
    /// The command of a frame, a request or an answer; a big-endian `u32` on the wire.
    ///
    /// `RequestWork` and `NoWork` exist in the original enumeration but are never
    /// sent. In an answer every command but [`Command::Ack`] rejects the job.
    #[repr(u32)]
    pub enum Command {
        /// 0: never on the wire.
        RequestWork = "request-work",
        /// 1: never on the wire.
        NoWork = "no-work",
        /// 2: requests the verification key of the join-split circuit.
        GetJoinSplitVk = "get-join-split-vk",
        /// 3: requests the verification key of the account circuit.
        GetAccountVk = "get-account-vk",
        /// 4: requests a proof; the data is a proof request.
        CreateProof = "create-proof",
        /// 5: the job succeeded; the data is its reply.
        Ack = "ack",
        /// 6: the job is rejected; the data is UTF-8 text.
        Nack = "nack",
    }
}

impl Command {
    /// Returns the command with this code, if one exists.
    pub fn from_code(code: u32) -> Option<Self> {
        Self::ALL.get(code as usize).copied()
    }

    /// The command's code on the wire.
    pub fn code(self) -> u32 {
        self as u32
    }
}
