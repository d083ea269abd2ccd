//! The kinds of jobs and the topics that they travel on.

use crate::{Command, limits, named};

named! {
    /// The kind of a job, in the order of Falafel's pipeline.
    pub enum Kind {
        /// The claim of a defi deposit (proof id 2).
        Claim = "claim",
        /// An inner rollup of transactions (proof id 0).
        TxRollup = "tx-rollup",
        /// The rollup of inner rollups (proof id 1).
        RootRollup = "root-rollup",
        /// The verification of a root rollup (proof id 3).
        RootVerifier = "root-verifier",
        /// The verification key of the join-split circuit.
        JoinSplitVk = "join-split-vk",
        /// The verification key of the account circuit.
        AccountVk = "account-vk",
    }
}

named! {
    /// The queue of a job. The job's kind determines the topic, not the port that the
    /// job came from: a Falafel in `normal` mode serves all kinds on one port.
    pub enum Topic {
        /// Tx rollups and claims: many jobs in parallel.
        Inner = "inner",
        /// All other kinds: few jobs, one after the other.
        Outer = "outer",
    }
}

impl Kind {
    /// Returns the kind of the requests that start with this proof id.
    pub(crate) fn of_proof_id(id: u32) -> Option<Self> {
        let proofs = [
            Self::TxRollup,
            Self::RootRollup,
            Self::Claim,
            Self::RootVerifier,
        ];
        proofs.get(id as usize).copied()
    }

    /// The topic of this kind's jobs.
    pub fn topic(self) -> Topic {
        match self {
            Self::TxRollup | Self::Claim => Topic::Inner,
            Self::RootRollup | Self::RootVerifier | Self::JoinSplitVk | Self::AccountVk => {
                Topic::Outer
            }
        }
    }

    /// The command of the frames that request this kind.
    pub fn command(self) -> Command {
        match self {
            Self::TxRollup | Self::Claim | Self::RootRollup | Self::RootVerifier => {
                Command::CreateProof
            }
            Self::JoinSplitVk => Command::GetJoinSplitVk,
            Self::AccountVk => Command::GetAccountVk,
        }
    }

    /// Whether the reply is a verification key instead of a proof.
    pub fn is_vk(self) -> bool {
        self.command() != Command::CreateProof
    }

    /// The longest reply to this kind, in bytes.
    pub fn reply_limit(self) -> usize {
        match self.is_vk() {
            true => limits::VK_BYTES,
            false => limits::REPLY_BYTES,
        }
    }
}
