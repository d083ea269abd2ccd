//! Keys whose secret numbers come from a ceremony, through iden3's files.
//!
//! - [`write_r1cs`] writes a circuit for snarkjs, which makes a `.zkey` from the
//!   circuit and a ceremony's powers of tau, and adds contributions.
//! - [`Zkey`] reads a `.zkey`: sizes and coefficients must be those of the circuit,
//!   the points must belong together, and the key must not be degenerate.
//! - [`Powers`] reads a prepared `.ptau`. Powers and a circuit determine the initial
//!   key of a ceremony's second phase, against which every point of a `.zkey` is
//!   checked.
//! - [`audit()`] is the full check of any key; [`import_key`], [`import_zkey`] and
//!   [`import_powers`] store keys.
//!
//! The formats are documented in iden3's specifications of binary files and in
//! snarkjs' code. Numbers are little endian; a point is a pair of coordinates in
//! Montgomery form, as in zkWhirl's keys; infinity is all zeros.

mod audit;
mod check;
mod contributions;
mod import;
mod powers;
mod r1cs;
mod sections;
mod start;
#[cfg(test)]
mod tests;
mod zkey;
mod zkey_header;

use std::{
    io,
    path::{Path, PathBuf},
};

use zkwhirl_circuits::r1cs::Matrices;

pub use audit::audit;
pub use import::{import_key, import_powers, import_zkey};
pub use r1cs::write_r1cs;

use check::{Consistency, consistent};
use powers::Powers;
use start::start;
use zkey::Zkey;

/// Why a ceremony's file is refused.
#[derive(Debug, thiserror::Error)]
pub enum CeremonyError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the file system.
        source: io::Error,
    },
    /// The file is malformed, or does not belong to the circuit.
    #[error("{} {problem}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// What is wrong, as the predicate of the file's name: "has no section 4".
        problem: String,
    },
}

impl CeremonyError {
    fn refused(path: &Path, problem: impl Into<String>) -> Self {
        Self::Refused {
            path: path.to_owned(),
            problem: problem.into(),
        }
    }
}

fn variables(matrices: &Matrices) -> usize {
    matrices.num_instance + matrices.num_witness
}

/// The domain size of a circuit: rows and public variables, up to a power of two.
fn domain(matrices: &Matrices) -> usize {
    (matrices.num_rows + matrices.num_instance).next_power_of_two()
}
