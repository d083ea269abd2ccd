//! A small R1CS builder: rows `a·b = c` over linear combinations.
//!
//! The same circuit code serves four purposes: counting rows, computing a
//! witness (values only, no linear combinations), checking every row against
//! the values, and storing the matrices. The rows that the code enforces must
//! not depend on values; only the assigned values may.

mod builder;
mod matrices;
mod num;

pub use builder::{Builder, Mode, Unsatisfied};
pub use matrices::{Assignment, Matrices, Matrix};
pub use num::{Bit, Num};

/// Number of instance variables of every statement: the constant 1 and the public input.
pub(crate) const NUM_INSTANCE: usize = 2;
