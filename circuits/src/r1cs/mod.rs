//! A small R1CS builder: rows `a·b = c` over linear combinations.
//!
//! One run of a circuit's code serves four ends: counting rows, computing a
//! witness (values only, no linear combinations), checking every row against
//! the values as it is enforced, and storing the matrices. What the code
//! enforces must not depend on values; only what it assigns may.

mod builder;
mod matrices;
mod num;

pub use builder::{Builder, Mode, Unsatisfied};
pub use matrices::{Assignment, Matrices, Matrix};
pub use num::{Bit, Num};

/// Instance variables of every statement: the constant 1 and the public input.
pub(crate) const NUM_INSTANCE: usize = 2;
