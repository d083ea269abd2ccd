//! Circuits by name: matrices, row counts, assignments and checks.

use std::fmt;
use std::str::FromStr;

use ark_bn254::Fr;
use thiserror::Error;
use zkwhirl_job::request::{ClaimRequest, RootRollupRequest, TxRollupRequest};

use crate::claim::{self, ClaimWitness};
use crate::error::StatementError;
use crate::published::{CLAIM_FIELDS, FIELDS_PER_TX, TX_ROLLUP_HEADER};
use crate::r1cs::{Assignment, Builder, Matrices, Mode, Unsatisfied};
use crate::root_rollup::{self, RootRollupWitness, RootSize};
use crate::statement;
use crate::suite::{Suite, UnknownSuite};
use crate::tx_rollup::{self, TxRollupWitness};

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

/// A request that some circuit proves.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A claim.
    Claim(&'a ClaimRequest),
    /// An inner rollup.
    TxRollup(&'a TxRollupRequest),
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
            Self::Claim | Self::RootRollup(_) => 0,
            Self::TxRollup { txs } => txs.next_power_of_two() as usize,
        }
    }

    /// Published fields of a statement.
    pub fn published_fields(self) -> usize {
        match self {
            Self::Claim => CLAIM_FIELDS,
            Self::TxRollup { .. } => TX_ROLLUP_HEADER + FIELDS_PER_TX * self.slots(),
            Self::RootRollup(size) => size.published_fields(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::TxRollup { .. } => "tx-rollup",
            Self::RootRollup(_) => "root-rollup",
        }
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
        let mut builder = Builder::new(mode);
        match self.statement {
            StatementKind::Claim => {
                claim::synthesize(&mut builder, self.suite, &ClaimWitness::blank());
            }
            StatementKind::TxRollup { txs } => {
                let blank = TxRollupWitness::blank();
                tx_rollup::synthesize(&mut builder, self.suite, txs, &blank);
            }
            StatementKind::RootRollup(size) => {
                let blank = RootRollupWitness::blank();
                root_rollup::synthesize(&mut builder, self.suite, size, &blank);
            }
        }
        builder
    }

    fn run(&self, mode: Mode, witness: &Witness) -> Result<Builder, StatementError> {
        let mut builder = Builder::new(mode);
        match (self.statement, witness) {
            (StatementKind::Claim, Witness::Claim(witness)) => {
                claim::synthesize(&mut builder, self.suite, witness);
            }
            (StatementKind::TxRollup { txs }, Witness::TxRollup(witness)) => {
                tx_rollup::synthesize(&mut builder, self.suite, txs, witness);
            }
            (StatementKind::RootRollup(size), Witness::RootRollup(witness)) => {
                root_rollup::synthesize(&mut builder, self.suite, size, witness);
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

impl<'a> From<&'a RootRollupRequest> for Input<'a> {
    fn from(request: &'a RootRollupRequest) -> Self {
        Self::RootRollup(request)
    }
}

impl fmt::Display for StatementKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Claim => f.write_str("claim"),
            Self::TxRollup { txs } => write!(f, "tx-rollup of {txs}"),
            Self::RootRollup(size) => write!(f, "root-rollup of {size}"),
        }
    }
}

impl fmt::Display for Circuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.statement.name(), self.suite)?;
        match self.statement {
            StatementKind::Claim => Ok(()),
            StatementKind::TxRollup { txs } => write!(f, "/{txs}"),
            StatementKind::RootRollup(size) => write!(f, "/{size}"),
        }
    }
}

/// A name that is no circuit.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UnknownCircuit {
    /// Not of a known form.
    #[error(
        "unknown circuit {0:?}: expected claim/SUITE, tx-rollup/SUITE/TXS or root-rollup/SUITE/INNERS/SLOTS"
    )]
    Form(String),
    /// Not of a known suite.
    #[error(transparent)]
    Suite(#[from] UnknownSuite),
    /// A number of txs that no circuit has.
    #[error("unknown circuit size {0:?}: expected 1 to {MAX_TXS} txs")]
    Txs(String),
    /// A size that no root rollup has.
    #[error(
        "unknown circuit size {0:?}: expected 1 to {MAX_INNERS} inner rollups and \
         a power of two of slots up to {MAX_SLOTS}"
    )]
    Root(String),
}

impl FromStr for Circuit {
    type Err = UnknownCircuit;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let (suite, statement) = match name.split('/').collect::<Vec<_>>()[..] {
            ["claim", suite] => (suite, StatementKind::Claim),
            ["tx-rollup", suite, txs] => {
                let count = number(txs, MAX_TXS);
                let txs = count.ok_or_else(|| UnknownCircuit::Txs(txs.to_owned()))?;
                (suite, StatementKind::TxRollup { txs })
            }
            ["root-rollup", suite, inners, slots] => {
                let slots_of_one = number(slots, MAX_SLOTS).filter(|n| n.is_power_of_two());
                let size = number(inners, MAX_INNERS).zip(slots_of_one);
                let (inners, slots) =
                    size.ok_or_else(|| UnknownCircuit::Root(format!("{inners}/{slots}")))?;
                (suite, StatementKind::RootRollup(RootSize { inners, slots }))
            }
            _ => return Err(UnknownCircuit::Form(name.to_owned())),
        };
        Ok(Self {
            suite: suite.parse()?,
            statement,
        })
    }
}

/// A number from 1 to a limit, in its one spelling.
fn number(text: &str, most: u32) -> Option<u32> {
    let number = text.parse().ok().filter(|n| (1..=most).contains(n));
    number.filter(|n: &u32| n.to_string() == text)
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
