//! What the addition of points needs of the field of their coordinates.

use super::{
    fq::Fq,
    lanes::{LANES, Lanes, Mask},
};
use crate::modulus::Limbs;

/// Where the coordinates of a word lie. No closure: those are not inlined
/// always.
pub(crate) trait Rows<'a> {
    /// The limbs of a coordinate's part, for each lane.
    fn part(&self, part: usize) -> [&'a Limbs; LANES];
}

/// A coordinate in every lane: of Fq for G1, of Fq2 for G2.
///
/// Ranges below are in multiples of q and for each part; stored numbers are
/// from 0 to 1.07. [`Fq`] says what clean and raw mean.
pub(crate) trait Coordinate<L: Lanes>: Copy + Send {
    /// Elements of Fq in a coordinate.
    const PARTS: usize;

    /// What is kept of a divisor until the inverse of its norm is known.
    type Divisor: Copy + Send;

    fn load<'a>(lanes: L, rows: impl Rows<'a>) -> Self;
    /// `put(part, limbs)` takes them.
    fn store(self, lanes: L, put: impl FnMut(usize, [Limbs; LANES]));

    fn zero(lanes: L) -> Self;
    fn one(lanes: L) -> Self;
    /// Raw.
    fn add(self, lanes: L, other: Self) -> Self;
    /// Raw.
    fn sub(self, lanes: L, other: Self) -> Self;
    /// Raw; plus `FACTOR`·q in each part.
    fn lift<const FACTOR: u64>(self, lanes: L) -> Self;
    /// Raw; times 2^`TIMES`.
    fn double<const TIMES: u32>(self, lanes: L) -> Self;
    /// Raw.
    fn negate(self, lanes: L, mask: Mask) -> Self;
    fn select(lanes: L, mask: Mask, a: Self, b: Self) -> Self;
    fn clean(self, lanes: L) -> Self;
    fn reduce(self, lanes: L) -> Self;
    /// Raw and from 0 to 2.7, of clean factors: the parts of one below 2.7, of
    /// the other below 13.
    fn multiply(self, lanes: L, other: Self) -> Self;
    /// Raw and from 0 to 1.6, of clean parts below 2.7.
    fn square(self, lanes: L) -> Self;

    fn maybe_zero(self, lanes: L) -> Mask;
    fn is_zero(self, lanes: L) -> Mask;

    /// Of clean parts below 4.
    fn divisor(self, lanes: L) -> Self::Divisor;
    /// Clean and below 2; zero only where the divisor is.
    fn norm(divisor: Self::Divisor) -> Fq<L>;
    /// Clean and below 2: what divides by the divisor when it is multiplied
    /// with, from what divides by its norm.
    fn inverse(lanes: L, divisor: Self::Divisor, inverse_norm: Fq<L>) -> Self;
}

impl<L: Lanes> Coordinate<L> for Fq<L> {
    const PARTS: usize = 1;
    type Divisor = Self;

    #[inline(always)]
    fn load<'a>(lanes: L, rows: impl Rows<'a>) -> Self {
        Fq::load(lanes, rows.part(0))
    }

    #[inline(always)]
    fn store(self, lanes: L, mut put: impl FnMut(usize, [Limbs; LANES])) {
        put(0, Fq::store(self, lanes));
    }

    #[inline(always)]
    fn zero(lanes: L) -> Self {
        Fq::number(lanes, 0)
    }

    #[inline(always)]
    fn one(lanes: L) -> Self {
        Fq::number(lanes, 1)
    }

    #[inline(always)]
    fn add(self, lanes: L, other: Self) -> Self {
        Fq::add(self, lanes, other)
    }

    #[inline(always)]
    fn sub(self, lanes: L, other: Self) -> Self {
        Fq::sub(self, lanes, other)
    }

    #[inline(always)]
    fn lift<const FACTOR: u64>(self, lanes: L) -> Self {
        Fq::lift::<FACTOR>(self, lanes)
    }

    #[inline(always)]
    fn double<const TIMES: u32>(self, lanes: L) -> Self {
        Fq::double::<TIMES>(self, lanes)
    }

    #[inline(always)]
    fn negate(self, lanes: L, mask: Mask) -> Self {
        Fq::negate(self, lanes, mask)
    }

    #[inline(always)]
    fn select(lanes: L, mask: Mask, a: Self, b: Self) -> Self {
        Fq::select(lanes, mask, a, b)
    }

    #[inline(always)]
    fn clean(self, lanes: L) -> Self {
        Fq::clean(self, lanes)
    }

    #[inline(always)]
    fn reduce(self, lanes: L) -> Self {
        Fq::reduce(self, lanes)
    }

    #[inline(always)]
    fn multiply(self, lanes: L, other: Self) -> Self {
        self.product(lanes, other).reduce(lanes)
    }

    #[inline(always)]
    fn square(self, lanes: L) -> Self {
        self.square_product(lanes).reduce(lanes)
    }

    #[inline(always)]
    fn maybe_zero(self, lanes: L) -> Mask {
        Fq::maybe_zero(self, lanes)
    }

    #[inline(always)]
    fn is_zero(self, lanes: L) -> Mask {
        Fq::is_zero(self, lanes)
    }

    #[inline(always)]
    fn divisor(self, _: L) -> Self {
        self
    }

    #[inline(always)]
    fn norm(divisor: Self) -> Fq<L> {
        divisor
    }

    #[inline(always)]
    fn inverse(_: L, _: Self, inverse_norm: Fq<L>) -> Self {
        inverse_norm
    }
}
