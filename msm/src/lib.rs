//! Sums of many points of BN254, each times a scalar: in G1 and in G2.
//!
//! [`Scalars`] are prepared once and used with every list of points that goes
//! with them; [`Arithmetic::sum`] takes one list. Scalars 0, 1 and −1 cost no
//! more than an addition, small ones as many additions as they have digits.
//!
//! How: scalars are cut into signed digits; the points of equal digits of a
//! window are added up in affine coordinates, thousands of additions with one
//! shared inversion; buckets are weighed by halving; all in tasks of equal size
//! over rayon's threads. The additions run in sixteen lanes of AVX-512 IFMA
//! where the processor has it (`wide/`), and in ordinary integers elsewhere
//! (`narrow/`).
//!
//! [`Arithmetic::quotient`] is the other large part of a Groth16 proof: transforms
//! over the scalars, in the same arithmetic.
//!
//! The crate knows curves: no proofs, keys or jobs.

mod adder;
mod arithmetic;
mod butterfly;
mod fold;
mod kernel;
mod modulus;
mod narrow;
mod ntt;
mod scalars;
mod slots;
mod stored;
mod sum;
mod weigh;
mod wide;

pub use arithmetic::{Arithmetic, Curve};
pub use scalars::Scalars;
