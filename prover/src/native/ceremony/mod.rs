//! Keys whose secret numbers come from a ceremony, through iden3's files.
//!
//! - [`write_r1cs`] writes a circuit for snarkjs, which makes a `.zkey` from it
//!   and a ceremony's powers of tau, and adds contributions.
//! - [`Zkey`] is such a key, read back: its sizes and coefficients must be the
//!   circuit's, its points must belong together, and it must not be degenerate.
//! - [`Powers`] is a prepared `.ptau`. With a circuit it gives the key that a
//!   ceremony's second phase starts with; every point of a `.zkey` is checked
//!   against it.
//! - [`audit()`] is the full check of any key, [`import_key`] and its siblings put
//!   keys into a store.
//!
//! Facts about the formats: iden3's specifications of binary files, and
//! snarkjs' own code. Numbers are little endian; points are pairs of
//! coordinates in Montgomery form, as in our own keys; infinity is zeros.

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

/// A file of a ceremony that is refused.
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
    /// The file is not what it should be.
    #[error("{} {problem}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// What does not hold, after the file's name: "has no section 4".
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

/// The domain of a circuit: its rows, and one for each public variable.
fn domain(matrices: &Matrices) -> usize {
    (matrices.num_rows + matrices.num_instance).next_power_of_two()
}
