//! Circuits by name: matrices, row counts, assignments and checks.

use std::fmt;
use std::str::FromStr;

use ark_bn254::Fr;
use thiserror::Error;
use zkwhirl_job::Topic;
use zkwhirl_job::request::{ClaimRequest, RootRollupRequest, TxRollupRequest};

use crate::account::{self, AccountWitness};
use crate::claim::{self, ClaimWitness};
use crate::error::StatementError;
use crate::join_split::{self, JoinSplitWitness};
use crate::published::{CLAIM_FIELDS, FIELDS_PER_TX, TX_ROLLUP_HEADER};
use crate::r1cs::{Assignment, Builder, Matrices, Mode, NUM_INSTANCE, Unsatisfied};
use crate::root_rollup::{self, RootRollupWitness, RootSize};
use crate::statement;
use crate::suite::{Suite, UnknownSuite};
use crate::tx_rollup::{self, Chain, NotesWitness, SegmentWitness, ShardWitness, TxRollupWitness};

/// Most txs an inner rollup may have.
pub const MAX_TXS: u32 = 28;
/// Most inner rollups a root rollup may have.
pub const MAX_INNERS: u32 = 32;
/// Most tx slots of an inner rollup.
pub(crate) const MAX_SLOTS: u32 = MAX_TXS.next_power_of_two();

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

/// A statement over a suite of hashes: what a proving key belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Circuit {
    /// The hashes.
    pub suite: Suite,
    /// The statement.
    pub statement: StatementKind,
}

/// What some circuit proves: a request, or a client's own values.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A claim.
    Claim(&'a ClaimRequest),
    /// An inner rollup.
    TxRollup(&'a TxRollupRequest),
    /// A client's payment.
    JoinSplit(&'a JoinSplitWitness),
    /// A client's account.
    Account(&'a AccountWitness),
    /// A rollup of inner rollups.
    RootRollup(&'a RootRollupRequest),
}

/// All values of a statement, whether or not they follow its rules.
#[derive(Clone, Debug)]
pub enum Witness {
    /// A claim's.
    Claim(Box<ClaimWitness>),
    /// An inner rollup's.
    TxRollup(Box<TxRollupWitness>),
    /// A segment's.
    TxSegment(Box<SegmentWitness>),
    /// A shard's.
    TxNullifiers(Box<ShardWitness>),
    /// An insertion's of notes.
    TxNotes(Box<NotesWitness>),
    /// A payment's.
    JoinSplit(Box<JoinSplitWitness>),
    /// An account's.
    Account(Box<AccountWitness>),
    /// A root rollup's.
    RootRollup(Box<RootRollupWitness>),
}

/// What a complete check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckReport {
    /// Rows, every one satisfied.
    pub rows: usize,
    /// The statement's public input.
    pub public_input: Fr,
}

/// Why a check failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CheckError {
    /// The request is not a valid statement.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The rules hold natively, or were not checked, but not in the circuit.
    #[error(transparent)]
    Unsatisfied(#[from] Unsatisfied),
    /// The circuit published something else than the native statement.
    #[error("the circuit's public input differs from the statement's")]
    PublicInput,
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

    fn name(self) -> &'static str {
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
    fn sizes(self) -> Vec<u32> {
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
    fn from_parts(name: &str, sizes: &[u32]) -> Option<Self> {
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

impl Circuit {
    /// The constraint system, which no witness influences.
    pub fn matrices(&self) -> Matrices {
        self.blank(Mode::Matrices).into_matrices()
    }

    /// Rows by part of the circuit.
    pub fn rows(&self) -> Vec<(&'static str, usize)> {
        self.blank(Mode::Count).rows_by_part()
    }

    /// All rows. With the two instance variables they must fit a prover's
    /// domain, a power of two.
    pub fn num_rows(&self) -> usize {
        self.blank(Mode::Count).num_rows()
    }

    /// The domain that a prover needs: a power of two.
    pub fn domain(&self) -> u64 {
        (self.num_rows() + NUM_INSTANCE).next_power_of_two() as u64
    }

    /// Checks a request natively and computes all variables.
    pub fn assign<'a>(&self, request: impl Into<Input<'a>>) -> Result<Assignment, StatementError> {
        let (witness, _) = self.native(request.into())?;
        self.assign_raw(&witness)
    }

    /// Checks a request natively and in the circuit, row by row; stores no
    /// rows, so it needs memory for the variables only.
    pub fn check<'a>(&self, request: impl Into<Input<'a>>) -> Result<CheckReport, CheckError> {
        let (witness, public_input) = self.native(request.into())?;
        let report = self.check_raw(&witness)?;
        if report.public_input == public_input {
            Ok(report)
        } else {
            Err(CheckError::PublicInput)
        }
    }

    /// All variables from explicit values, without any native check: what
    /// breaks a rule gives an assignment that does not satisfy the matrices.
    ///
    /// # Panics
    /// If a list of siblings is shorter than its tree is deep.
    pub fn assign_raw(&self, witness: &Witness) -> Result<Assignment, StatementError> {
        Ok(self.run(Mode::Witness, witness)?.into_assignment())
    }

    /// Checks every row under explicit values.
    pub fn check_raw(&self, witness: &Witness) -> Result<CheckReport, CheckError> {
        let builder = self.run(Mode::Check, witness)?;
        if let Some(first) = builder.unsatisfied().first() {
            return Err((*first).into());
        }
        let rows = builder.num_rows();
        let public_input = builder.into_assignment().instance[1];
        Ok(CheckReport { rows, public_input })
    }

    /// The rows that explicit values do not satisfy, up to a few dozen.
    pub fn unsatisfied_raw(&self, witness: &Witness) -> Result<Vec<Unsatisfied>, StatementError> {
        Ok(self.run(Mode::Check, witness)?.unsatisfied().to_vec())
    }

    /// The matrices as built along with explicit values, to compare with [`Circuit::matrices`].
    pub fn matrices_raw(&self, witness: &Witness) -> Result<Matrices, StatementError> {
        Ok(self.run(Mode::Full, witness)?.into_matrices())
    }

    /// The witness and public input of a request that follows the rules.
    fn native(&self, request: Input<'_>) -> Result<(Witness, Fr), StatementError> {
        match (self.statement, request) {
            (StatementKind::Claim, Input::Claim(request)) => {
                let statement = statement::claim(self.suite, request)?;
                let witness = ClaimWitness::new(request)?;
                Ok((Witness::Claim(Box::new(witness)), statement.public_input()))
            }
            (StatementKind::TxRollup { txs }, Input::TxRollup(request)) => {
                let statement = statement::tx_rollup(self.suite, request, txs)?;
                let witness = TxRollupWitness::new(request, txs)?;
                Ok((
                    Witness::TxRollup(Box::new(witness)),
                    statement.public_input(),
                ))
            }
            (StatementKind::JoinSplit, Input::JoinSplit(witness)) => {
                let published = statement::join_split(witness)?;
                let witness = Witness::JoinSplit(Box::new(witness.clone()));
                Ok((witness, published.public_input()))
            }
            (StatementKind::Account, Input::Account(witness)) => {
                let published = statement::account(witness)?;
                let witness = Witness::Account(Box::new(witness.clone()));
                Ok((witness, published.public_input()))
            }
            (StatementKind::RootRollup(size), Input::RootRollup(request)) => {
                let statement = statement::root_rollup(self.suite, request, size)?;
                let witness = RootRollupWitness::new(request, size)?;
                Ok((
                    Witness::RootRollup(Box::new(witness)),
                    statement.public_input(),
                ))
            }
            _ => Err(StatementError::Kind(self.statement.name())),
        }
    }

    fn blank(&self, mode: Mode) -> Builder {
        let witness = match self.statement {
            StatementKind::Claim => Witness::Claim(Box::new(ClaimWitness::blank())),
            StatementKind::TxRollup { .. } => Witness::TxRollup(Box::new(TxRollupWitness::blank())),
            StatementKind::TxSegment { txs, of } => {
                let slots = Chain::remembered(of, txs);
                Witness::TxSegment(Box::new(SegmentWitness::blank(slots)))
            }
            StatementKind::TxNullifiers { .. } => {
                Witness::TxNullifiers(Box::new(ShardWitness::blank()))
            }
            StatementKind::TxNotes { .. } => Witness::TxNotes(Box::new(NotesWitness::blank())),
            StatementKind::JoinSplit => Witness::JoinSplit(Box::new(JoinSplitWitness::blank())),
            StatementKind::Account => Witness::Account(Box::new(AccountWitness::blank())),
            StatementKind::RootRollup(_) => {
                Witness::RootRollup(Box::new(RootRollupWitness::blank()))
            }
        };
        self.run(mode, &witness)
            .expect("the blank witness is of the statement's kind")
    }

    fn run(&self, mode: Mode, witness: &Witness) -> Result<Builder, StatementError> {
        let mut builder = Builder::new(mode);
        let b = &mut builder;
        let suite = self.suite;
        match (self.statement, witness) {
            (StatementKind::Claim, Witness::Claim(witness)) => {
                claim::synthesize(b, suite, witness);
            }
            (StatementKind::TxRollup { txs }, Witness::TxRollup(witness)) => {
                tx_rollup::synthesize(b, suite, txs, witness);
            }
            (StatementKind::TxSegment { txs, of }, Witness::TxSegment(witness)) => {
                tx_rollup::synthesize_segment(b, suite, [txs, of], witness);
            }
            (StatementKind::TxNullifiers { count }, Witness::TxNullifiers(witness)) => {
                tx_rollup::synthesize_shard(b, suite, count, witness);
            }
            (StatementKind::TxNotes { slots }, Witness::TxNotes(witness)) => {
                tx_rollup::synthesize_notes(b, suite, slots, witness);
            }
            (StatementKind::JoinSplit, Witness::JoinSplit(witness)) => {
                join_split::synthesize(b, witness);
            }
            (StatementKind::Account, Witness::Account(witness)) => {
                account::synthesize(b, witness);
            }
            (StatementKind::RootRollup(size), Witness::RootRollup(witness)) => {
                root_rollup::synthesize(b, suite, size, witness);
            }
            _ => return Err(StatementError::Kind(self.statement.name())),
        }
        Ok(builder)
    }
}

impl<'a> From<&'a ClaimRequest> for Input<'a> {
    fn from(request: &'a ClaimRequest) -> Self {
        Self::Claim(request)
    }
}

impl<'a> From<&'a TxRollupRequest> for Input<'a> {
    fn from(request: &'a TxRollupRequest) -> Self {
        Self::TxRollup(request)
    }
}

impl<'a> From<&'a JoinSplitWitness> for Input<'a> {
    fn from(witness: &'a JoinSplitWitness) -> Self {
        Self::JoinSplit(witness)
    }
}

impl<'a> From<&'a AccountWitness> for Input<'a> {
    fn from(witness: &'a AccountWitness) -> Self {
        Self::Account(witness)
    }
}

impl<'a> From<&'a RootRollupRequest> for Input<'a> {
    fn from(request: &'a RootRollupRequest) -> Self {
        Self::RootRollup(request)
    }
}

impl fmt::Display for StatementKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        let sizes = self.sizes();
        sizes.iter().try_for_each(|size| write!(f, " of {size}"))
    }
}

impl fmt::Display for Circuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.statement.name(), self.suite)?;
        let sizes = self.statement.sizes();
        sizes.iter().try_for_each(|size| write!(f, "/{size}"))
    }
}

/// A name that is no circuit.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UnknownCircuit {
    /// Not of a known form.
    #[error(
        "unknown circuit {0:?}: expected claim/SUITE, tx-rollup/SUITE/TXS, \
         tx-segment/SUITE/TXS/OF, tx-nullifiers/SUITE/COUNT, tx-notes/SUITE/SLOTS, \
         root-rollup/SUITE/INNERS/SLOTS, for at most {MAX_TXS} txs and {MAX_INNERS} inners, \
         join-split/poseidon or account/poseidon"
    )]
    Form(String),
    /// Not of a known suite.
    #[error(transparent)]
    Suite(#[from] UnknownSuite),
}

impl FromStr for Circuit {
    type Err = UnknownCircuit;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownCircuit::Form(text.to_owned());
        let mut parts = text.split('/');
        let (Some(name), Some(suite)) = (parts.next(), parts.next()) else {
            return Err(unknown());
        };
        let sizes: Option<Vec<u32>> = parts.map(|size| size.parse().ok()).collect();
        let statement = sizes.and_then(|sizes| StatementKind::from_parts(name, &sizes));
        let circuit = Self {
            statement: statement.ok_or_else(unknown)?,
            suite: suite.parse()?,
        };
        // No second way of writing a number.
        if circuit.to_string() == text && circuit.statement.exists_in(circuit.suite) {
            Ok(circuit)
        } else {
            Err(unknown())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for name in [
            "claim/poseidon",
            "claim/pedersen",
            "tx-rollup/poseidon/1",
            "tx-rollup/pedersen/28",
            "tx-segment/poseidon/2/5",
            "tx-segment/pedersen/12/28",
            "tx-nullifiers/pedersen/56",
            "tx-notes/poseidon/32",
            "join-split/poseidon",
            "account/poseidon",
            "root-rollup/poseidon/1/1",
            "root-rollup/pedersen/32/32",
            "root-rollup/pedersen/3/2",
        ] {
            assert_eq!(name.parse::<Circuit>().unwrap().to_string(), name);
        }
        for name in [
            "",
            "claim",
            "claim/mimc",
            "tx-rollup/poseidon",
            "tx-rollup/poseidon/0",
            "tx-rollup/poseidon/29",
            "tx-rollup/poseidon/01",
            "claim/poseidon/1",
            "tx-segment/poseidon/3/2",
            "tx-segment/poseidon/1/29",
            "tx-segment/poseidon/2",
            "tx-nullifiers/pedersen/57",
            "tx-notes/poseidon/3",
            "tx-notes/poseidon/64",
            "join-split/pedersen",
            "account/pedersen",
            "join-split/poseidon/1",
            "root-rollup/poseidon/1",
            "root-rollup/poseidon/0/1",
            "root-rollup/poseidon/33/1",
            "root-rollup/poseidon/1/3",
            "root-rollup/poseidon/1/64",
            "root-rollup/poseidon/1/+1",
        ] {
            assert!(name.parse::<Circuit>().is_err(), "{name:?}");
        }
    }
}
