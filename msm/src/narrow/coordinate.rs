//! What the addition of points needs of the field of their coordinates.

use super::residue::Residue;
use crate::modulus::{Base, Limbs};

/// A coordinate: of Fq for G1, of Fq2 for G2.
pub(crate) trait Coordinate: Copy + Send {
    /// Elements of Fq in a coordinate.
    const PARTS: usize;
    const ZERO: Self;

    /// What is kept of a divisor until the inverse of its norm is known.
    type Divisor: Copy + Send;

    fn load<'a>(part: impl Fn(usize) -> &'a Limbs) -> Self;
    /// `put(part, limbs)` takes them.
    fn store(self, put: impl FnMut(usize, Limbs));

    fn is_zero(self) -> bool;
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    /// The negative where `negate` says so. Of parts up to q.
    fn negate(self, negate: bool) -> Self;
    fn multiply(self, other: Self) -> Self;
    fn square(self) -> Self;

    fn divisor(self) -> Self::Divisor;
    /// Zero only where the divisor is.
    fn norm(divisor: Self::Divisor) -> Residue<Base>;
    /// One over the divisor, from one over its norm.
    fn inverse(divisor: Self::Divisor, inverse_norm: Residue<Base>) -> Self;
}

impl Coordinate for Residue<Base> {
    const PARTS: usize = 1;
    const ZERO: Self = Self::ZERO;
    type Divisor = Self;

    #[inline(always)]
    fn load<'a>(part: impl Fn(usize) -> &'a Limbs) -> Self {
        Self::new(*part(0))
    }

    #[inline(always)]
    fn store(self, mut put: impl FnMut(usize, Limbs)) {
        put(0, self.limbs());
    }

    #[inline(always)]
    fn is_zero(self) -> bool {
        Self::is_zero(self)
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self::add(self, other)
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self::sub(self, other)
    }

    #[inline(always)]
    fn negate(self, negate: bool) -> Self {
        Self::negate(self, negate)
    }

    #[inline(always)]
    fn multiply(self, other: Self) -> Self {
        Self::multiply(self, other)
    }

    #[inline(always)]
    fn square(self) -> Self {
        self.square_product().reduce()
    }

    #[inline(always)]
    fn divisor(self) -> Self {
        self
    }

    #[inline(always)]
    fn norm(divisor: Self) -> Self {
        divisor
    }

    #[inline(always)]
    fn inverse(_: Self, inverse_norm: Self) -> Self {
        inverse_norm
    }
}
