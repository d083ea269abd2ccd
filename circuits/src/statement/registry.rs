//! What circuits prove, and of which sizes.

use std::fmt;

use zkwhirl_job::Topic;

use crate::published::{CLAIM_FIELDS, FIELDS_PER_TX, TX_ROLLUP_HEADER, tag};
use crate::root_rollup::RootSize;
use crate::suite::Suite;

/// Most txs an inner rollup may have.
pub const MAX_TXS: u32 = 28;
/// Most inner rollups a root rollup may have.
pub const MAX_INNERS: u32 = 32;
/// Most tx slots of an inner rollup.
const MAX_SLOTS: u32 = MAX_TXS.next_power_of_two();

/// What a circuit proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StatementKind {
    /// One defi claim.
    Claim,
    /// An inner rollup.
    TxRollup {
        /// Txs that fit; fewer are padded.
        txs: u32,
    },
    /// Some consecutive txs of an inner rollup.
    TxSegment {
        /// Txs that fit.
        txs: u32,
        /// Txs that fit the whole inner rollup.
        of: u32,
    },
    /// Insertions of nullifiers one after the other.
    TxNullifiers {
        /// Nullifiers that fit; fewer are filled up with zeros.
        count: u32,
    },
    /// The insertion of an inner rollup's notes.
    TxNotes {
        /// Slots of the inner rollup, a power of two; each has two notes.
        slots: u32,
    },
    /// A client's payment, of the poseidon suite.
    JoinSplit,
    /// A client's account, of the poseidon suite.
    Account,
    /// A rollup of inner rollups.
    RootRollup(RootSize),
}

impl StatementKind {
    /// Slots of a tx rollup: its capacity rounded up to a power of two.
    pub fn slots(self) -> usize {
        match self {
            Self::TxRollup { txs } => txs.next_power_of_two() as usize,
            _ => 0,
        }
    }

    /// Published fields of a statement that has a reply of its own; the pieces
    /// of a chain have none.
    pub fn published_fields(self) -> usize {
        match self {
            Self::Claim | Self::JoinSplit | Self::Account => CLAIM_FIELDS,
            Self::TxRollup { .. } => TX_ROLLUP_HEADER + FIELDS_PER_TX * self.slots(),
            Self::RootRollup(size) => size.published_fields(),
            Self::TxSegment { .. } | Self::TxNullifiers { .. } | Self::TxNotes { .. } => 0,
        }
    }

    /// Where its public input's chain starts, which tells it from those of other
    /// statements.
    pub const fn tag(self) -> u64 {
        match self {
            Self::Claim => tag::CLAIM,
            Self::TxRollup { .. } => tag::TX_ROLLUP,
            Self::TxSegment { .. } => tag::TX_SEGMENT,
            Self::TxNullifiers { .. } => tag::NULLIFIERS,
            Self::TxNotes { .. } => tag::NOTES,
            Self::JoinSplit => tag::JOIN_SPLIT,
            Self::Account => tag::ACCOUNT,
            Self::RootRollup(_) => tag::ROOT_ROLLUP,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::TxRollup { .. } => "tx-rollup",
            Self::TxSegment { .. } => "tx-segment",
            Self::TxNullifiers { .. } => "tx-nullifiers",
            Self::TxNotes { .. } => "tx-notes",
            Self::JoinSplit => "join-split",
            Self::Account => "account",
            Self::RootRollup(_) => "root-rollup",
        }
    }

    /// Whether there is such a circuit over a suite: the clients of the
    /// pedersen suite prove with PLONK, and keep their circuits to themselves.
    pub fn exists_in(self, suite: Suite) -> bool {
        suite == Suite::Poseidon || !matches!(self, Self::JoinSplit | Self::Account)
    }

    /// Workers of which topic prove with it; clients' keys are made by outer
    /// jobs.
    pub fn topic(self) -> Topic {
        match self {
            Self::RootRollup(_) | Self::JoinSplit | Self::Account => Topic::Outer,
            Self::Claim
            | Self::TxRollup { .. }
            | Self::TxSegment { .. }
            | Self::TxNullifiers { .. }
            | Self::TxNotes { .. } => Topic::Inner,
        }
    }

    /// The numbers behind the suite in a circuit's name.
    pub(crate) fn sizes(self) -> Vec<u32> {
        match self {
            Self::Claim | Self::JoinSplit | Self::Account => vec![],
            Self::TxRollup { txs } => vec![txs],
            Self::TxSegment { txs, of } => vec![txs, of],
            Self::TxNullifiers { count } => vec![count],
            Self::TxNotes { slots } => vec![slots],
            Self::RootRollup(size) => vec![size.inners, size.slots],
        }
    }

    /// The statement with a name and sizes, if there is one.
    pub(crate) fn from_parts(name: &str, sizes: &[u32]) -> Option<Self> {
        let within = |size: u32, most: u32| (1..=most).contains(&size);
        let are_slots = |slots: u32| within(slots, MAX_SLOTS) && slots.is_power_of_two();
        let (statement, holds) = match (name, sizes) {
            ("claim", []) => (Self::Claim, true),
            ("join-split", []) => (Self::JoinSplit, true),
            ("account", []) => (Self::Account, true),
            ("tx-rollup", &[txs]) => (Self::TxRollup { txs }, within(txs, MAX_TXS)),
            ("tx-segment", &[txs, of]) => (
                Self::TxSegment { txs, of },
                within(of, MAX_TXS) && within(txs, of),
            ),
            ("tx-nullifiers", &[count]) => {
                (Self::TxNullifiers { count }, within(count, 2 * MAX_TXS))
            }
            ("tx-notes", &[slots]) => (Self::TxNotes { slots }, are_slots(slots)),
            ("root-rollup", &[inners, slots]) => (
                Self::RootRollup(RootSize { inners, slots }),
                within(inners, MAX_INNERS) && are_slots(slots),
            ),
            _ => return None,
        };
        holds.then_some(statement)
    }
}

impl fmt::Display for StatementKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        let sizes = self.sizes();
        sizes.iter().try_for_each(|size| write!(f, " of {size}"))
    }
}
