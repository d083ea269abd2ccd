//! The kinds of jobs and the topics that they travel on.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Command, limits};

/// What a job asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An inner rollup of transactions (proof id 0).
    TxRollup,
    /// The claim of a defi deposit (proof id 2).
    Claim,
    /// The rollup of inner rollups (proof id 1).
    RootRollup,
    /// The verification of a root rollup (proof id 3).
    RootVerifier,
    /// The verification key of the join-split circuit.
    JoinSplitVk,
    /// The verification key of the account circuit.
    AccountVk,
}

/// Which workers a job is for. It follows from the kind, never from the port
/// that the job came from: a Falafel in `normal` mode serves all kinds on one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// Tx rollups and claims: many, in parallel.
    Inner,
    /// Everything else: few, one after the other.
    Outer,
}

/// A text that names no kind or no topic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not one of {expected}")]
pub struct KindError {
    text: String,
    expected: &'static str,
}

impl Kind {
    /// All kinds, in the order of Falafel's pipeline.
    pub const ALL: [Self; 6] = [
        Self::Claim,
        Self::TxRollup,
        Self::RootRollup,
        Self::RootVerifier,
        Self::JoinSplitVk,
        Self::AccountVk,
    ];

    /// The topic of this kind's jobs.
    pub fn topic(self) -> Topic {
        match self {
            Self::TxRollup | Self::Claim => Topic::Inner,
            Self::RootRollup | Self::RootVerifier | Self::JoinSplitVk | Self::AccountVk => {
                Topic::Outer
            }
        }
    }

    /// The command of the frames that ask for this kind.
    pub fn command(self) -> Command {
        match self {
            Self::TxRollup | Self::Claim | Self::RootRollup | Self::RootVerifier => {
                Command::CreateProof
            }
            Self::JoinSplitVk => Command::GetJoinSplitVk,
            Self::AccountVk => Command::GetAccountVk,
        }
    }

    /// Whether the reply is a verification key, and no proof.
    pub fn is_vk(self) -> bool {
        self.command() != Command::CreateProof
    }

    /// The most bytes of a reply.
    pub fn reply_limit(self) -> usize {
        match self.is_vk() {
            true => limits::VK_BYTES,
            false => limits::REPLY_BYTES,
        }
    }

    /// The kind's name in code, logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::TxRollup => "tx-rollup",
            Self::Claim => "claim",
            Self::RootRollup => "root-rollup",
            Self::RootVerifier => "root-verifier",
            Self::JoinSplitVk => "join-split-vk",
            Self::AccountVk => "account-vk",
        }
    }
}

impl Topic {
    /// Both topics.
    pub const ALL: [Self; 2] = [Self::Inner, Self::Outer];

    /// The topic's name in code, logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Inner => "inner",
            Self::Outer => "outer",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Kind {
    type Err = KindError;

    fn from_str(text: &str) -> Result<Self, KindError> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| KindError {
                text: text.chars().take(80).collect(),
                expected: "claim, tx-rollup, root-rollup, root-verifier, join-split-vk, account-vk",
            })
    }
}

impl FromStr for Topic {
    type Err = KindError;

    fn from_str(text: &str) -> Result<Self, KindError> {
        Self::ALL
            .into_iter()
            .find(|topic| topic.name() == text)
            .ok_or_else(|| KindError {
                text: text.chars().take(80).collect(),
                expected: "inner, outer",
            })
    }
}
