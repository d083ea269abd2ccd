//! The statements: each folder implements [`Statement`], and has its line in the
//! list of this file.

pub mod account;
pub mod claim;
pub mod client;
pub(crate) mod definition;
pub mod join_split;
mod matched;
mod request;
pub mod root_rollup;
pub mod tx_rollup;

use ark_bn254::Fr;
use zkwhirl_job::Topic;

use crate::error::{PublishedError, StatementError};
use crate::published::Published;
use crate::r1cs::Builder;
use crate::suite::Suite;
use account::{AccountTx, AccountWitness};
use claim::{Claim, ClaimWitness};
use join_split::{JoinSplit, JoinSplitWitness};
use root_rollup::{RootRollupWitness, RootSize};
use tx_rollup::{
    NotesWitness, SegmentWitness, ShardWitness, TxNotes, TxNullifiers, TxRollup, TxRollupWitness,
    TxSegment,
};

pub(crate) use definition::Statement;

registry! {
    /// A claim of a defi deposit's proceeds.
    Claim => Claim, ClaimWitness;
    /// An inner rollup of up to `txs` txs, in one circuit.
    TxRollup { txs } => TxRollup, TxRollupWitness;
    /// Up to `txs` consecutive txs of an inner rollup of up to `of` txs.
    TxSegment { txs, of } => TxSegment, SegmentWitness;
    /// Insertions of up to `count` nullifiers one after the other.
    TxNullifiers { count } => TxNullifiers, ShardWitness;
    /// The insertion of the notes of an inner rollup of `slots` slots, a power of two.
    TxNotes { slots } => TxNotes, NotesWitness;
    /// A client's payment, only in the poseidon suite.
    JoinSplit => JoinSplit, JoinSplitWitness;
    /// The creation or change of a client's account, only in the poseidon suite.
    Account => AccountTx, AccountWitness;
    /// A rollup of up to `inners` inner rollups, each with `slots` tx slots, a power of two.
    RootRollup { inners, slots } => RootSize, RootRollupWitness;
}

/// The properties of a statement that do not depend on a witness.
pub(crate) struct Facts {
    /// The first part of the circuits' names.
    pub(crate) name: &'static str,
    /// The number at the start of the public input's chain.
    pub(crate) tag: u64,
    topic: Topic,
    suites: &'static [Suite],
    slots: usize,
    /// The numbers after the suite in the circuits' names.
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
    /// Returns the first part of the names of this statement's circuits.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// Returns the slots of a tx rollup: its capacity rounded up to a power of two.
    pub fn slots(self) -> usize {
        self.facts().slots
    }

    /// Returns whether the circuit exists in a suite: the clients of the
    /// pedersen suite prove with PLONK, in circuits of their own.
    pub fn exists_in(self, suite: Suite) -> bool {
        self.facts().suites.contains(&suite)
    }

    /// Returns the topic whose workers use the circuit; outer jobs make clients' keys.
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
    /// Reads published words and checks what the circuit leaves to a verifier:
    /// canonical words, the range of bridge call datas and, by SHA-256, the
    /// inputs hash. The public input binds everything else.
    ///
    /// `clients` are the client digests, one per slot, zero for padding; empty
    /// for a claim. See [`client_digest`](crate::client::client_digest).
    pub fn from_words(
        kind: StatementKind,
        words: &[[u8; 32]],
        clients: &[Fr],
    ) -> Result<Self, PublishedError> {
        kind.read(words, clients)
    }
}

/// Returns the form of a statement's circuit names, with sizes in capitals.
fn form<S: Statement>(sizes: &[&str]) -> String {
    let suite = match S::SUITES {
        [suite] => suite.to_string(),
        _ => "SUITE".to_owned(),
    };
    let sizes = sizes.iter().map(|size| format!("/{}", size.to_uppercase()));
    format!("{}/{suite}{}", S::NAME, sizes.collect::<String>())
}

/// Defines the enums of statements and of witnesses. Their methods call the
/// [`Statement`] of each line.
macro_rules! registry {
    ($($(#[$doc:meta])* $name:ident $({ $($size:ident),+ })? => $statement:ident, $witness:ident;)+) => {
        /// The statement that a circuit proves, with its sizes.
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

            /// Returns the statement with this name and sizes; `None` if no such circuit exists.
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

            /// Runs the circuit's code with a witness, or with a blank one.
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

            /// Returns every rule that a witness breaks.
            #[cfg(test)]
            pub(crate) fn violations(self, suite: Suite, w: &Witness) -> Vec<crate::rule::Violation> {
                match (self, w) {
                    $((Self::$name $({ $($size),+ })?, Witness::$name(w)) =>
                        $statement $({ $($size),+ })?.violations(suite, w),)+
                    _ => panic!("the witness belongs to another statement"),
                }
            }

            #[cfg(test)]
            const TAGS: &[u64] = &[$(<$statement as Statement>::TAG),+];

            /// Returns the form of the circuit names of each statement.
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
