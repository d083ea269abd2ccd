//! Sixteen unsigned 64-bit numbers at once, and what a field needs of them.

use crate::{kernel::Machine, modulus::Limbs};

/// Numbers in a word.
pub(crate) const LANES: usize = 16;

/// Low bits of a number that a multiplication takes.
pub(crate) const LIMB_BITS: u32 = 52;

/// A set of lanes, one bit each.
pub(crate) type Mask = u16;

/// Arithmetic on words of sixteen lanes. All operations are lane by lane and
/// wrap at 2^64.
///
/// A value of an implementing type stands for the right to run its
/// instructions: it is made only after the processor was asked.
pub(crate) trait Lanes: Machine {
    type Word: Copy + Send;

    fn splat(self, value: u64) -> Self::Word;
    fn add(self, a: Self::Word, b: Self::Word) -> Self::Word;
    fn sub(self, a: Self::Word, b: Self::Word) -> Self::Word;
    fn and(self, a: Self::Word, b: Self::Word) -> Self::Word;
    fn or(self, a: Self::Word, b: Self::Word) -> Self::Word;
    fn shift_left<const BITS: u32>(self, a: Self::Word) -> Self::Word;
    /// Zeros come in from above.
    fn shift_right<const BITS: u32>(self, a: Self::Word) -> Self::Word;
    /// Copies of the sign come in from above.
    fn shift_right_signed<const BITS: u32>(self, a: Self::Word) -> Self::Word;
    /// `sum` plus the low 52 bits of the product of the low 52 bits of `a` and
    /// `b`.
    fn multiply_low(self, sum: Self::Word, a: Self::Word, b: Self::Word) -> Self::Word;
    /// `sum` plus the high 52 bits of the same product of 104 bits.
    fn multiply_high(self, sum: Self::Word, a: Self::Word, b: Self::Word) -> Self::Word;
    fn equal(self, a: Self::Word, b: Self::Word) -> Mask;
    /// `a` in the lanes of `mask`, `b` in the others.
    fn select(self, mask: Mask, a: Self::Word, b: Self::Word) -> Self::Word;
    /// `table[place]`, by the low three bits of each lane of `place`.
    fn look_up(self, table: &[u64; 8], place: Self::Word) -> Self::Word;
    /// Brings a row nearer that is gathered soon.
    fn prefetch(self, row: &Limbs);
    /// One element a lane, as words of equal limbs.
    fn gather(self, rows: [&Limbs; LANES]) -> [Self::Word; 4];
    /// The inverse of [`Lanes::gather`].
    fn scatter(self, limbs: [Self::Word; 4]) -> [Limbs; LANES];
}
