//! The list of statements: one line for each.

use ark_bn254::Fr;
use zkwhirl_job::Topic;

use super::account::{AccountTx, AccountWitness};
use super::claim::{Claim, ClaimWitness};
use super::definition::Statement;
use super::join_split::{JoinSplit, JoinSplitWitness};
use super::root_rollup::{RootRollupWitness, RootSize};
use super::tx_rollup::{
    NotesWitness, SegmentWitness, ShardWitness, TxNotes, TxNullifiers, TxRollup, TxRollupWitness,
    TxSegment,
};
use crate::error::{PublishedError, StatementError};
use crate::published::Published;
use crate::r1cs::Builder;
use crate::suite::Suite;

registry! {
    /// A claim of a defi deposit's proceeds.
    Claim => Claim, ClaimWitness;
    /// An inner rollup of up to `txs` txs.
    TxRollup { txs } => TxRollup, TxRollupWitness;
    /// Up to `txs` consecutive txs of an inner rollup of up to `of` txs.
    TxSegment { txs, of } => TxSegment, SegmentWitness;
    /// Insertions of up to `count` nullifiers one after the other.
    TxNullifiers { count } => TxNullifiers, ShardWitness;
    /// The insertion of the notes of an inner rollup of `slots` slots, a power of two.
    TxNotes { slots } => TxNotes, NotesWitness;
    /// A client's payment, of the poseidon suite.
    JoinSplit => JoinSplit, JoinSplitWitness;
    /// A client's account, of the poseidon suite.
    Account => AccountTx, AccountWitness;
    /// A rollup of up to `inners` inner rollups of `slots` slots, a power of two.
    RootRollup { inners, slots } => RootSize, RootRollupWitness;
}

/// What of a statement no witness influences.
pub(crate) struct Facts {
    /// The first part of its circuits' names.
    pub(crate) name: &'static str,
    /// The number that its public input's chain starts with.
    pub(crate) tag: u64,
    topic: Topic,
    suites: &'static [Suite],
    slots: usize,
    /// The numbers behind the suite in its circuits' names.
    pub(crate) sizes: Vec<u32>,
}

impl Facts {
    fn of<S: Statement>(statement: S, sizes: &[u32]) -> Self {
        Self {
            name: S::NAME,
            tag: S::TAG,
            topic: S::TOPIC,
            suites: S::SUITES,
            slots: statement.slots(),
            sizes: sizes.to_vec(),
        }
    }
}

impl StatementKind {
    /// Slots of a tx rollup: its capacity rounded up to a power of two.
    pub fn slots(self) -> usize {
        self.facts().slots
    }

    /// Whether there is such a circuit over a suite: the clients of the
    /// pedersen suite prove with PLONK, in circuits of their own.
    pub fn exists_in(self, suite: Suite) -> bool {
        self.facts().suites.contains(&suite)
    }

    /// Workers of which topic prove with it; outer jobs make clients' keys.
    pub fn topic(self) -> Topic {
        self.facts().topic
    }
}

impl From<RootSize> for StatementKind {
    fn from(RootSize { inners, slots }: RootSize) -> Self {
        Self::RootRollup { inners, slots }
    }
}

impl Published {
    /// Reads published words and checks what the circuit leaves to its
    /// verifier: canonical words, the range of bridge call datas and, by
    /// SHA-256, the inputs hash. The public input binds everything else.
    ///
    /// `clients` are the client digests, one a slot, zero for padding; none
    /// for a claim. See [`client_digest`](crate::client::client_digest).
    pub fn from_words(
        kind: StatementKind,
        words: &[[u8; 32]],
        clients: &[Fr],
    ) -> Result<Self, PublishedError> {
        kind.read(words, clients)
    }
}

/// How circuits over a statement are named, sizes in capitals.
fn form<S: Statement>(sizes: &[&str]) -> String {
    let suite = match S::SUITES {
        [suite] => suite.to_string(),
        _ => "SUITE".to_owned(),
    };
    let sizes = sizes.iter().map(|size| format!("/{}", size.to_uppercase()));
    format!("{}/{suite}{}", S::NAME, sizes.collect::<String>())
}

/// Makes the enums of statements and of witnesses. Their methods call the
/// [`Statement`] of each line.
macro_rules! registry {
    ($($(#[$doc:meta])* $name:ident $({ $($size:ident),+ })? => $statement:ident, $witness:ident;)+) => {
        /// What a circuit proves, and of which sizes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "each statement's line says what its sizes are")]
        pub enum StatementKind {
            $($(#[$doc])* $name $({ $($size: u32),+ })?,)+
        }

        /// All values of a statement, whether or not they follow its rules.
        #[derive(Clone, Debug)]
        pub enum Witness {
            $($(#[$doc])* $name(Box<$witness>),)+
        }

        $(impl From<$witness> for Witness {
            fn from(witness: $witness) -> Self {
                Self::$name(Box::new(witness))
            }
        })+

        impl StatementKind {
            pub(crate) fn facts(self) -> Facts {
                match self {
                    $(Self::$name $({ $($size),+ })? =>
                        Facts::of($statement $({ $($size),+ })?, &[$($($size),+)?]),)+
                }
            }

            /// The statement with a name and sizes, if circuits have these sizes.
            pub(crate) fn from_parts(name: &str, sizes: &[u32]) -> Option<Self> {
                match (name, sizes) {
                    $((<$statement as Statement>::NAME, &[$($($size),+)?]) => {
                        let statement = $statement $({ $($size),+ })?;
                        statement.is_possible().then_some(Self::$name $({ $($size),+ })?)
                    })+
                    _ => None,
                }
            }

            fn read(self, words: &[[u8; 32]], clients: &[Fr]) -> Result<Published, PublishedError> {
                match self {
                    $(Self::$name $({ $($size),+ })? =>
                        Published::read($statement $({ $($size),+ })?, words, clients),)+
                }
            }

            /// Runs the rows over a witness, or over a blank one.
            pub(crate) fn enforce(
                self,
                b: &mut Builder,
                suite: Suite,
                witness: Option<&Witness>,
            ) -> Result<(), StatementError> {
                match (self, witness) {
                    $((Self::$name $({ $($size),+ })?, Some(Witness::$name(w))) =>
                        $statement $({ $($size),+ })?.enforce(b, suite, w),
                    (Self::$name $({ $($size),+ })?, None) => {
                        let statement = $statement $({ $($size),+ })?;
                        statement.enforce(b, suite, &statement.blank());
                    })+
                    _ => return Err(StatementError::Kind(self.facts().name)),
                }
                Ok(())
            }

            /// Every rule that a witness breaks.
            #[cfg(test)]
            pub(crate) fn violations(self, suite: Suite, w: &Witness) -> Vec<crate::rule::Violation> {
                match (self, w) {
                    $((Self::$name $({ $($size),+ })?, Witness::$name(w)) =>
                        $statement $({ $($size),+ })?.violations(suite, w),)+
                    _ => panic!("the witness is of another statement"),
                }
            }

            #[cfg(test)]
            const TAGS: &[u64] = &[$(<$statement as Statement>::TAG),+];

            /// How circuits are named, a form for each statement.
            pub(crate) fn forms() -> Vec<String> {
                vec![$(form::<$statement>(&[$($(stringify!($size)),+)?])),+]
            }
        }
    };
}
use registry;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::published::RUNNING_STATE_TAG;

    #[test]
    fn every_statement_has_its_own_tag() {
        let mut tags = [StatementKind::TAGS, &[RUNNING_STATE_TAG]].concat();
        tags.sort_unstable();
        assert_eq!(tags, (1..=9).collect::<Vec<_>>());
    }
}
