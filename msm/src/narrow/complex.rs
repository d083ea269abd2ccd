//! Elements of Fq2 = Fq(u), u² = −1.

use super::{coordinate::Coordinate, residue::Residue};
use crate::modulus::{Base, Limbs};

/// a + b·u.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Complex {
    a: Residue<Base>,
    b: Residue<Base>,
}

/// A divisor and a² + b², its norm.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ComplexDivisor {
    value: Complex,
    norm: Residue<Base>,
}

impl Coordinate for Complex {
    const PARTS: usize = 2;
    const ZERO: Self = Self {
        a: Residue::ZERO,
        b: Residue::ZERO,
    };
    type Divisor = ComplexDivisor;

    #[inline(always)]
    fn load<'a>(part: impl Fn(usize) -> &'a Limbs) -> Self {
        let (a, b) = (Residue::new(*part(0)), Residue::new(*part(1)));
        Self { a, b }
    }

    #[inline(always)]
    fn store(self, mut put: impl FnMut(usize, Limbs)) {
        put(0, self.a.limbs());
        put(1, self.b.limbs());
    }

    #[inline(always)]
    fn is_zero(self) -> bool {
        self.a.is_zero() && self.b.is_zero()
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let (a, b) = (self.a.add(other.a), self.b.add(other.b));
        Self { a, b }
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        let (a, b) = (self.a.sub(other.a), self.b.sub(other.b));
        Self { a, b }
    }

    #[inline(always)]
    fn negate(self, negate: bool) -> Self {
        let (a, b) = (self.a.negate(negate), self.b.negate(negate));
        Self { a, b }
    }

    /// Karatsuba's three products, and two reductions: each part is reduced
    /// once, when it is complete.
    #[inline(always)]
    fn multiply(self, other: Self) -> Self {
        let (first, second) = (self.a.product(other.a), self.b.product(other.b));
        let all = self.a.add_far(self.b).product(other.a.add_far(other.b));
        Self {
            a: first.lift().sub(second).reduce_far(),
            b: all.sub(first).sub(second).reduce_far(),
        }
    }

    /// (a + b)(a − b) and 2ab.
    #[inline(always)]
    fn square(self) -> Self {
        let Self { a, b } = self;
        Self {
            a: a.add_far(b).product(a.sub(b)).reduce_far(),
            b: a.add_far(a).product(b).reduce_far(),
        }
    }

    #[inline(always)]
    fn divisor(self) -> ComplexDivisor {
        let (a, b) = (self.a.square_product(), self.b.square_product());
        let norm = a.add(b).reduce_far();
        ComplexDivisor { value: self, norm }
    }

    #[inline(always)]
    fn norm(divisor: ComplexDivisor) -> Residue<Base> {
        divisor.norm
    }

    /// The conjugate over the norm.
    #[inline(always)]
    fn inverse(divisor: ComplexDivisor, inverse_norm: Residue<Base>) -> Self {
        let Self { a, b } = divisor.value;
        Self {
            a: a.multiply(inverse_norm),
            b: Residue::ZERO.sub(b.multiply(inverse_norm)),
        }
    }
}
