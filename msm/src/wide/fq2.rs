//! Elements of Fq2 = Fq(u), u² = −1, a lane each.

use super::{
    coordinate::{Coordinate, Rows},
    fq::Fq,
    lanes::{LANES, Lanes, Mask},
};
use crate::modulus::Limbs;

/// Sixteen elements a + b·u.
#[derive(Clone, Copy)]
pub(crate) struct Fq2<L: Lanes> {
    a: Fq<L>,
    b: Fq<L>,
}

/// A divisor and a² + b², its norm.
#[derive(Clone, Copy)]
pub(crate) struct Divisor<L: Lanes> {
    value: Fq2<L>,
    norm: Fq<L>,
}

impl<L: Lanes> Coordinate<L> for Fq2<L> {
    const PARTS: usize = 2;
    type Divisor = Divisor<L>;

    #[inline(always)]
    fn load<'a>(lanes: L, rows: impl Rows<'a>) -> Self {
        let (a, b) = (Fq::load(lanes, rows.part(0)), Fq::load(lanes, rows.part(1)));
        Self { a, b }
    }

    #[inline(always)]
    fn store(self, lanes: L, mut put: impl FnMut(usize, [Limbs; LANES])) {
        put(0, self.a.store(lanes));
        put(1, self.b.store(lanes));
    }

    #[inline(always)]
    fn zero(lanes: L) -> Self {
        let (a, b) = (Fq::number(lanes, 0), Fq::number(lanes, 0));
        Self { a, b }
    }

    #[inline(always)]
    fn one(lanes: L) -> Self {
        let (a, b) = (Fq::number(lanes, 1), Fq::number(lanes, 0));
        Self { a, b }
    }

    #[inline(always)]
    fn add(self, lanes: L, other: Self) -> Self {
        let (a, b) = (self.a.add(lanes, other.a), self.b.add(lanes, other.b));
        Self { a, b }
    }

    #[inline(always)]
    fn sub(self, lanes: L, other: Self) -> Self {
        let (a, b) = (self.a.sub(lanes, other.a), self.b.sub(lanes, other.b));
        Self { a, b }
    }

    #[inline(always)]
    fn lift<const FACTOR: u64>(self, lanes: L) -> Self {
        let a = self.a.lift::<FACTOR>(lanes);
        let b = self.b.lift::<FACTOR>(lanes);
        Self { a, b }
    }

    #[inline(always)]
    fn double<const TIMES: u32>(self, lanes: L) -> Self {
        let a = self.a.double::<TIMES>(lanes);
        let b = self.b.double::<TIMES>(lanes);
        Self { a, b }
    }

    #[inline(always)]
    fn negate(self, lanes: L, mask: Mask) -> Self {
        let (a, b) = (self.a.negate(lanes, mask), self.b.negate(lanes, mask));
        Self { a, b }
    }

    #[inline(always)]
    fn select(lanes: L, mask: Mask, a: Self, b: Self) -> Self {
        Self {
            a: Fq::select(lanes, mask, a.a, b.a),
            b: Fq::select(lanes, mask, a.b, b.b),
        }
    }

    #[inline(always)]
    fn clean(self, lanes: L) -> Self {
        let (a, b) = (self.a.clean(lanes), self.b.clean(lanes));
        Self { a, b }
    }

    #[inline(always)]
    fn reduce(self, lanes: L) -> Self {
        let (a, b) = (self.a.reduce(lanes), self.b.reduce(lanes));
        Self { a, b }
    }

    /// Karatsuba's three products, and two reductions: each part is reduced
    /// once, when it is complete.
    #[inline(always)]
    fn multiply(self, lanes: L, other: Self) -> Self {
        let first = self.a.product(lanes, other.a);
        let second = self.b.product(lanes, other.b);
        let left = self.a.add(lanes, self.b).clean(lanes);
        let right = other.a.add(lanes, other.b).clean(lanes);
        let all = left.product(lanes, right);
        Self {
            a: first.sub(lanes, second).reduce(lanes).lift::<1>(lanes),
            b: all.sub(lanes, first.add(lanes, second)).reduce(lanes),
        }
    }

    /// (a + b)(a − b) and 2ab.
    #[inline(always)]
    fn square(self, lanes: L) -> Self {
        let sum = self.a.add(lanes, self.b).clean(lanes);
        let difference = self.a.sub(lanes, self.b).lift::<5>(lanes).clean(lanes);
        let twice = self.a.double::<1>(lanes).clean(lanes);
        Self {
            a: sum.product(lanes, difference).reduce(lanes),
            b: twice.product(lanes, self.b).reduce(lanes),
        }
    }

    #[inline(always)]
    fn maybe_zero(self, lanes: L) -> Mask {
        self.a.maybe_zero(lanes) & self.b.maybe_zero(lanes)
    }

    #[inline(always)]
    fn is_zero(self, lanes: L) -> Mask {
        self.a.is_zero(lanes) & self.b.is_zero(lanes)
    }

    #[inline(always)]
    fn divisor(self, lanes: L) -> Divisor<L> {
        let (a, b) = (self.a.square_product(lanes), self.b.square_product(lanes));
        let norm = a.add(lanes, b).reduce(lanes).clean(lanes);
        Divisor { value: self, norm }
    }

    #[inline(always)]
    fn norm(divisor: Divisor<L>) -> Fq<L> {
        divisor.norm
    }

    /// The conjugate over the norm.
    #[inline(always)]
    fn inverse(lanes: L, divisor: Divisor<L>, inverse_norm: Fq<L>) -> Self {
        let Fq2 { a, b } = divisor.value;
        let b = b.product(lanes, inverse_norm).reduce(lanes);
        let zero = Fq::number(lanes, 0);
        Self {
            a: a.multiply(lanes, inverse_norm),
            b: zero.sub(lanes, b).lift::<2>(lanes).clean(lanes),
        }
    }
}
