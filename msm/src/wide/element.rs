//! Elements of a prime field, a lane each, in five limbs of 52 bits.
//!
//! A multiplication is Montgomery's with R = 2^260: a·b / 2^260 mod q. Numbers are
//! not reduced further than needed; either q is 2^260 / 84.6, so a product of
//! factors below k·q and l·q is below (1 + k·l/84)·q.
//!
//! **Clean** elements have limbs below 2^52, as a multiplication needs of its
//! factors. **Raw** ones have signed limbs of up to 2^62, as sums and products
//! leave them: cheap to add to, and a clean element is raw too.

use std::marker::PhantomData;

use super::{
    lanes::{LANES, LIMB_BITS, Lanes, Mask},
    modulus::{BELOW, LIMBS, LOW, QUOTIENT, multiple, split, tables},
};
use crate::modulus::{Limbs, Modulus};

/// Sixteen elements.
#[derive(Clone, Copy)]
pub(crate) struct Element<L: Lanes, M: Modulus>([L::Word; LIMBS], PhantomData<M>);

/// A product before its reduction: ten raw limbs.
#[derive(Clone, Copy)]
pub(super) struct Product<L: Lanes, M: Modulus>([L::Word; 2 * LIMBS], PhantomData<M>);

impl<L: Lanes, M: Modulus> Element<L, M> {
    const TABLES: &'static [[u64; 8]; LIMBS] = &tables(M::NUMBER);

    #[inline(always)]
    fn splat(lanes: L, limbs: [u64; LIMBS]) -> Self {
        let mut out = [lanes.splat(0); LIMBS];
        for i in 0..LIMBS {
            out[i] = lanes.splat(limbs[i]);
        }
        Self(out, PhantomData)
    }

    /// `factor`·q, for factors below 64.
    #[inline(always)]
    fn multiple<const FACTOR: u64>(lanes: L) -> Self {
        Self::splat(lanes, const { multiple(M::NUMBER, FACTOR) })
    }

    /// One element in every lane, as it is stored.
    #[inline(always)]
    pub(crate) fn splat_stored(lanes: L, limbs: &Limbs) -> Self {
        Self::splat(lanes, split(*limbs))
    }

    /// The element that is stored as `number`.
    #[inline(always)]
    pub(crate) fn number(lanes: L, number: u64) -> Self {
        Self::splat(lanes, [number, 0, 0, 0, 0])
    }

    /// Stored numbers below 2^256, clean.
    #[inline(always)]
    pub(crate) fn load(lanes: L, rows: [&Limbs; LANES]) -> Self {
        let [a, b, c, d] = lanes.gather(rows);
        let low = lanes.splat(LOW);
        let join = |upper, lower| lanes.and(lanes.or(upper, lower), low);
        let out = [
            lanes.and(a, low),
            join(lanes.shift_left::<12>(b), lanes.shift_right::<52>(a)),
            join(lanes.shift_left::<24>(c), lanes.shift_right::<40>(b)),
            join(lanes.shift_left::<36>(d), lanes.shift_right::<28>(c)),
            lanes.shift_right::<16>(d),
        ];
        Self(out, PhantomData)
    }

    /// Clean numbers below 2^256, as they are stored.
    #[inline(always)]
    pub(crate) fn store(self, lanes: L) -> [Limbs; LANES] {
        let [a, b, c, d, e] = self.0;
        lanes.scatter([
            lanes.or(a, lanes.shift_left::<52>(b)),
            lanes.or(lanes.shift_right::<12>(b), lanes.shift_left::<40>(c)),
            lanes.or(lanes.shift_right::<24>(c), lanes.shift_left::<28>(d)),
            lanes.or(lanes.shift_right::<36>(d), lanes.shift_left::<16>(e)),
        ])
    }

    /// Raw.
    #[inline(always)]
    pub(crate) fn add(self, lanes: L, other: Self) -> Self {
        let mut out = self.0;
        for i in 0..LIMBS {
            out[i] = lanes.add(out[i], other.0[i]);
        }
        Self(out, PhantomData)
    }

    /// Raw; of the value of `self` − `other`, which may lie below zero.
    #[inline(always)]
    pub(crate) fn sub(self, lanes: L, other: Self) -> Self {
        let mut out = self.0;
        for i in 0..LIMBS {
            out[i] = lanes.sub(out[i], other.0[i]);
        }
        Self(out, PhantomData)
    }

    /// Raw; plus `FACTOR`·q, to bring a value above zero.
    #[inline(always)]
    pub(crate) fn lift<const FACTOR: u64>(self, lanes: L) -> Self {
        self.add(lanes, Self::multiple::<FACTOR>(lanes))
    }

    /// Raw; times a power of two.
    #[inline(always)]
    pub(crate) fn double<const TIMES: u32>(self, lanes: L) -> Self {
        let mut out = self.0;
        for limb in &mut out {
            *limb = lanes.shift_left::<TIMES>(*limb);
        }
        Self(out, PhantomData)
    }

    /// Raw; the negative in the lanes of `mask`.
    #[inline(always)]
    pub(crate) fn negate(self, lanes: L, mask: Mask) -> Self {
        let mut out = self.0;
        let zero = lanes.splat(0);
        for limb in &mut out {
            *limb = lanes.select(mask, lanes.sub(zero, *limb), *limb);
        }
        Self(out, PhantomData)
    }

    #[inline(always)]
    pub(crate) fn select(lanes: L, mask: Mask, a: Self, b: Self) -> Self {
        let mut out = b.0;
        for i in 0..LIMBS {
            out[i] = lanes.select(mask, a.0[i], b.0[i]);
        }
        Self(out, PhantomData)
    }

    /// Clean, of a raw value of 0 to 2^260.
    #[inline(always)]
    pub(crate) fn clean(self, lanes: L) -> Self {
        let mut out = self.0;
        let low = lanes.splat(LOW);
        for i in 0..LIMBS - 1 {
            let carry = lanes.shift_right_signed::<LIMB_BITS>(out[i]);
            out[i] = lanes.and(out[i], low);
            out[i + 1] = lanes.add(out[i + 1], carry);
        }
        Self(out, PhantomData)
    }

    /// Clean and of 0 to 1.07·q, from a raw value of −2.9·q to 4.9·q.
    ///
    /// How often q is in the value is told by its top limb alone: 84 / 2^52 is
    /// by less than a hundredth too small for the inverse of q's top limb, and
    /// what lower limbs still carry is less than 2^-34 of that.
    #[inline(always)]
    pub(crate) fn reduce(self, lanes: L) -> Self {
        let below = const { multiple(M::NUMBER, BELOW)[LIMBS - 1] };
        let top = lanes.add(self.0[LIMBS - 1], lanes.splat(below));
        let times = lanes.multiply_high(lanes.splat(0), top, lanes.splat(QUOTIENT));
        let mut out = self.0;
        for i in 0..LIMBS {
            out[i] = lanes.sub(out[i], lanes.look_up(&Self::TABLES[i], times));
        }
        Self(out, PhantomData).clean(lanes)
    }

    /// Of clean factors.
    #[inline(always)]
    pub(super) fn product(self, lanes: L, other: Self) -> Product<L, M> {
        let mut out = [lanes.splat(0); 2 * LIMBS];
        for i in 0..LIMBS {
            for j in 0..LIMBS {
                out[i + j] = lanes.multiply_low(out[i + j], self.0[i], other.0[j]);
                out[i + j + 1] = lanes.multiply_high(out[i + j + 1], self.0[i], other.0[j]);
            }
        }
        Product(out, PhantomData)
    }

    /// Of a clean factor with itself.
    #[inline(always)]
    pub(super) fn square_product(self, lanes: L) -> Product<L, M> {
        let mut out = [lanes.splat(0); 2 * LIMBS];
        for i in 0..LIMBS {
            for j in i + 1..LIMBS {
                out[i + j] = lanes.multiply_low(out[i + j], self.0[i], self.0[j]);
                out[i + j + 1] = lanes.multiply_high(out[i + j + 1], self.0[i], self.0[j]);
            }
        }
        for limb in &mut out {
            *limb = lanes.shift_left::<1>(*limb);
        }
        for i in 0..LIMBS {
            out[2 * i] = lanes.multiply_low(out[2 * i], self.0[i], self.0[i]);
            out[2 * i + 1] = lanes.multiply_high(out[2 * i + 1], self.0[i], self.0[i]);
        }
        Product(out, PhantomData)
    }

    /// Clean, of clean factors.
    #[inline(always)]
    pub(crate) fn multiply(self, lanes: L, other: Self) -> Self {
        self.product(lanes, other).reduce(lanes).clean(lanes)
    }

    /// Lanes whose limbs are all zero.
    #[inline(always)]
    pub(crate) fn zero_limbs(self, lanes: L) -> Mask {
        let [a, b, c, d, e] = self.0;
        let any = lanes.or(lanes.or(lanes.or(a, b), lanes.or(c, d)), e);
        lanes.equal(any, lanes.splat(0))
    }

    /// Lanes that may be zero modulo q, by the low limb; those that are not
    /// marked are not zero. Of a clean value below 5·q.
    #[inline(always)]
    pub(crate) fn maybe_zero(self, lanes: L) -> Mask {
        let mut mask = 0;
        for factor in 0..5 {
            let low = lanes.splat(M::NUMBER[0].wrapping_mul(factor) & LOW);
            mask |= lanes.equal(self.0[0], low);
        }
        mask
    }

    /// Lanes that are zero modulo q. Of a clean value below 5·q.
    #[inline(always)]
    pub(crate) fn is_zero(self, lanes: L) -> Mask {
        let mut mask = self.zero_limbs(lanes);
        mask |= self
            .sub(lanes, Self::multiple::<1>(lanes))
            .zero_limbs(lanes);
        mask |= self
            .sub(lanes, Self::multiple::<2>(lanes))
            .zero_limbs(lanes);
        mask |= self
            .sub(lanes, Self::multiple::<3>(lanes))
            .zero_limbs(lanes);
        mask | self
            .sub(lanes, Self::multiple::<4>(lanes))
            .zero_limbs(lanes)
    }
}

impl<L: Lanes, M: Modulus> Product<L, M> {
    #[inline(always)]
    pub(super) fn add(self, lanes: L, other: Self) -> Self {
        let mut out = self.0;
        for i in 0..2 * LIMBS {
            out[i] = lanes.add(out[i], other.0[i]);
        }
        Self(out, PhantomData)
    }

    #[inline(always)]
    pub(super) fn sub(self, lanes: L, other: Self) -> Self {
        let mut out = self.0;
        for i in 0..2 * LIMBS {
            out[i] = lanes.sub(out[i], other.0[i]);
        }
        Self(out, PhantomData)
    }

    /// Raw: the product over 2^260, plus less than q.
    #[inline(always)]
    pub(super) fn reduce(self, lanes: L) -> Element<L, M> {
        let mut t = self.0;
        let zero = lanes.splat(0);
        for i in 0..LIMBS {
            let times = lanes.multiply_low(zero, t[i], lanes.splat(M::INVERSE));
            for j in 0..LIMBS {
                let q = lanes.splat(const { multiple(M::NUMBER, 1) }[j]);
                t[i + j] = lanes.multiply_low(t[i + j], times, q);
                t[i + j + 1] = lanes.multiply_high(t[i + j + 1], times, q);
            }
            t[i + 1] = lanes.add(t[i + 1], lanes.shift_right_signed::<LIMB_BITS>(t[i]));
        }
        let mut out = [zero; LIMBS];
        out.copy_from_slice(&t[LIMBS..]);
        Element(out, PhantomData)
    }
}
