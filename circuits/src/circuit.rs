//! Circuits: names, matrices, numbers of rows (constraints), assignments and checks.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use ark_bn254::Fr;
use thiserror::Error;

use crate::error::StatementError;
use crate::r1cs::{Assignment, Builder, Matrices, Mode, NUM_INSTANCE, Unsatisfied};
use crate::root_rollup::MAX_INNERS;
use crate::statement::{StatementKind, Witness};
use crate::suite::{Suite, UnknownSuite};
use crate::tx_rollup::MAX_TXS;

/// A statement over a suite of hashes. Each circuit has its own proving key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Circuit {
    /// The suite of hashes.
    pub suite: Suite,
    /// The statement.
    pub statement: StatementKind,
}

/// The result of a complete check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckReport {
    /// Number of rows, all of which are satisfied.
    pub rows: usize,
    /// The statement's public input.
    pub public_input: Fr,
}

/// Why a check failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CheckError {
    /// The witness belongs to another statement.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// A row is not satisfied.
    #[error(transparent)]
    Unsatisfied(#[from] Unsatisfied),
    /// The circuit's public input differs from that of the native statement.
    #[error("the circuit's public input differs from the statement's")]
    PublicInput,
}

/// The text is not the name of a circuit.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UnknownCircuit {
    /// The name has no known form.
    #[error(
        "unknown circuit {0:?}: expected {forms}, for at most {MAX_TXS} txs and {MAX_INNERS} inners",
        forms = StatementKind::forms().join(", ")
    )]
    Form(String),
    /// The suite is unknown.
    #[error(transparent)]
    Suite(#[from] UnknownSuite),
}

impl Circuit {
    /// Builds the constraint system, which does not depend on a witness.
    pub fn matrices(&self) -> Matrices {
        self.blank(Mode::Matrices).into_matrices()
    }

    /// Returns the number of rows in each part of the circuit.
    pub fn rows(&self) -> Vec<(&'static str, usize)> {
        self.blank(Mode::Count).rows_by_part()
    }

    /// Returns the number of rows. The rows and the two instance variables must
    /// fit a prover's domain, a power of two. The number is cached per circuit,
    /// because counting takes as long as several verifications.
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

    /// Returns the smallest domain for a prover: a power of two.
    pub fn domain(&self) -> u64 {
        (self.num_rows() + NUM_INSTANCE).next_power_of_two() as u64
    }

    /// Computes the values of all variables without a native check: a witness that
    /// breaks a rule gives an assignment that does not satisfy the matrices.
    ///
    /// # Panics
    /// If a nullifier has fewer than 256 siblings.
    pub fn assign_raw(&self, witness: &Witness) -> Result<Assignment, StatementError> {
        Ok(self.run(Mode::Witness, Some(witness))?.into_assignment())
    }

    /// Checks every row under a witness. Stores no rows, so it needs memory
    /// only for the variables.
    ///
    /// # Panics
    /// If a nullifier has fewer than 256 siblings.
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
            .expect("the blank witness belongs to the statement")
    }

    /// Runs the circuit's code with a witness, or with a blank one.
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

impl fmt::Display for Circuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = self.statement.facts();
        write!(f, "{}/{}", facts.name, self.suite)?;
        facts.sizes.iter().try_for_each(|size| write!(f, "/{size}"))
    }
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
        // `01` is not a valid form of 1.
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

    const NAMES: &str = "claim/poseidon claim/pedersen join-split/poseidon account/poseidon \
        tx-rollup/poseidon/1 tx-rollup/pedersen/28 tx-segment/poseidon/2/5 \
        tx-segment/pedersen/12/28 tx-nullifiers/pedersen/56 tx-notes/poseidon/32 \
        root-rollup/poseidon/1/1 root-rollup/pedersen/32/32 root-rollup/pedersen/3/2";

    const NO_NAMES: &str = "claim claim/mimc claim/poseidon/1 tx-rollup/poseidon \
        tx-rollup/poseidon/0 tx-rollup/poseidon/29 tx-rollup/poseidon/4294967295 \
        tx-rollup/poseidon/01 tx-segment/poseidon/0/2 tx-segment/poseidon/3/2 \
        tx-segment/poseidon/1/29 tx-segment/poseidon/2 tx-nullifiers/pedersen/57 \
        tx-notes/poseidon/3 tx-notes/poseidon/64 join-split/pedersen account/pedersen \
        join-split/poseidon/1 root-rollup/poseidon/1 root-rollup/poseidon/0/1 \
        root-rollup/poseidon/33/1 root-rollup/poseidon/1/3 root-rollup/poseidon/1/64 \
        root-rollup/poseidon/1/4294967295 root-rollup/poseidon/1/+1";

    #[test]
    fn names_round_trip() {
        for name in NAMES.split(' ') {
            assert_eq!(name.parse::<Circuit>().unwrap().to_string(), name);
        }
        for name in NO_NAMES.split(' ').chain([""]) {
            assert!(name.parse::<Circuit>().is_err(), "{name:?}");
        }
    }
}
