//! Circuits: matrices, row counts, assignments and checks.

mod name;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use ark_bn254::Fr;
use thiserror::Error;

use crate::error::StatementError;
use crate::r1cs::{Assignment, Builder, Matrices, Mode, NUM_INSTANCE, Unsatisfied};
use crate::statement::{StatementKind, Witness};
use crate::suite::Suite;

pub use name::UnknownCircuit;

/// A statement over a suite of hashes: what a proving key belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Circuit {
    /// The hashes.
    pub suite: Suite,
    /// The statement.
    pub statement: StatementKind,
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
    /// The witness is of another statement.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// A row does not hold.
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
    /// domain, a power of two. A process counts them once a circuit, because
    /// counting takes as long as several verifications.
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

    /// The least domain that a prover can use: a power of two.
    pub fn domain(&self) -> u64 {
        (self.num_rows() + NUM_INSTANCE).next_power_of_two() as u64
    }

    /// The values of all variables, without any native check: a witness that
    /// breaks a rule gives an assignment that does not satisfy the matrices.
    ///
    /// # Panics
    /// If a list of siblings is shorter than its tree is deep.
    pub fn assign_raw(&self, witness: &Witness) -> Result<Assignment, StatementError> {
        Ok(self.run(Mode::Witness, Some(witness))?.into_assignment())
    }

    /// Checks every row under a witness. Stores no rows: needs memory for the
    /// variables only.
    ///
    /// # Panics
    /// If a list of siblings is shorter than its tree is deep.
    pub fn check_raw(&self, witness: &Witness) -> Result<CheckReport, CheckError> {
        let builder = self.run(Mode::Check, Some(witness))?;
        if let Some(first) = builder.unsatisfied().first() {
            return Err((*first).into());
        }
        let rows = builder.num_rows();
        let public_input = builder.into_assignment().instance[1];
        Ok(CheckReport { rows, public_input })
    }

    fn blank(&self, mode: Mode) -> Builder {
        self.run(mode, None)
            .expect("the blank witness is of the statement's kind")
    }

    /// Runs the rows over a witness, or over a blank one.
    pub(crate) fn run(
        &self,
        mode: Mode,
        witness: Option<&Witness>,
    ) -> Result<Builder, StatementError> {
        let mut builder = Builder::new(mode);
        self.statement.enforce(&mut builder, self.suite, witness)?;
        Ok(builder)
    }
}
