//! Circuits: matrices, row counts, assignments and checks.

mod name;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use ark_bn254::Fr;
use thiserror::Error;
use zkwhirl_job::request::{ClaimRequest, RootRollupRequest, TxRollupRequest};

use crate::account::{self, AccountWitness};
use crate::claim::{self, ClaimWitness};
use crate::error::StatementError;
use crate::join_split::{self, JoinSplitWitness};
use crate::r1cs::{Assignment, Builder, Matrices, Mode, NUM_INSTANCE, Unsatisfied};
use crate::root_rollup::{self, RootRollupWitness};
use crate::statement;
use crate::suite::Suite;
use crate::tx_rollup::{self, Chain, NotesWitness, SegmentWitness, ShardWitness, TxRollupWitness};

use crate::statement::StatementKind;
pub use name::UnknownCircuit;

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
    /// domain, a power of two. They are counted once a process: that takes as
    /// long as many a verification.
    pub fn num_rows(&self) -> usize {
        static COUNTED: Mutex<BTreeMap<Circuit, usize>> = Mutex::new(BTreeMap::new());
        let counted = || COUNTED.lock().unwrap_or_else(PoisonError::into_inner);
        let known = counted().get(self).copied();
        known.unwrap_or_else(|| {
            let rows = self.blank(Mode::Count).num_rows();
            counted().insert(*self, rows);
            rows
        })
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
