//! Elements of a prime field in four limbs of 64 bits.
//!
//! A multiplication is Montgomery's with R = 2^256. Either q is 2^256 / 5.29, so a
//! product of factors below k·q and l·q is below (1 + k·l/5.29)·q after its
//! reduction: of two elements below 2·q it is below 2·q again, without a
//! subtraction at its end.

use std::marker::PhantomData;

use crate::modulus::{Limbs, Modulus};

/// An element as arkworks stores it, but only below 2·q.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Residue<M>(Limbs, PhantomData<M>);

/// A product before its reduction: below 16·q².
#[derive(Debug, Clone, Copy)]
pub(super) struct Double<M>([u64; 8], PhantomData<M>);

impl<M: Modulus> Residue<M> {
    pub(super) const ZERO: Self = Self([0; 4], PhantomData);
    const TWICE: Limbs = twice(M::NUMBER);

    #[inline(always)]
    pub(super) fn new(limbs: Limbs) -> Self {
        Self(limbs, PhantomData)
    }

    #[inline(always)]
    pub(super) fn limbs(self) -> Limbs {
        self.0
    }

    #[inline(always)]
    pub(super) fn is_zero(self) -> bool {
        self.0 == [0; 4] || self.0 == M::NUMBER
    }

    /// Below 4·q: for a factor.
    #[inline(always)]
    pub(super) fn add_far(self, other: Self) -> Self {
        Self(add(self.0, other.0).0, PhantomData)
    }

    #[inline(always)]
    pub(super) fn add(self, other: Self) -> Self {
        self.add_far(other).nearer()
    }

    #[inline(always)]
    pub(super) fn sub(self, other: Self) -> Self {
        let (difference, borrow) = sub(self.0, other.0);
        let back = Self::TWICE.map(|limb| limb & mask(borrow));
        Self(add(difference, back).0, PhantomData)
    }

    /// The negative where `negate` says so, without a branch. Of an element from
    /// 1 to q.
    #[inline(always)]
    pub(super) fn negate(self, negate: bool) -> Self {
        let mask = mask(negate);
        let mut carry = negate;
        let mut out = self.0;
        for i in 0..4 {
            let number = M::NUMBER[i] & mask;
            (out[i], carry) = number.carrying_add(out[i] ^ mask, carry);
        }
        Self(out, PhantomData)
    }

    /// Product and reduction in turns, which needs fewer registers.
    #[inline(always)]
    pub(super) fn multiply(self, other: Self) -> Self {
        let (a, b) = (self.0, other.0);
        let mut t = [0; 4];
        for i in 0..4 {
            let (low, mut high) = a[0].carrying_mul_add(b[i], t[0], 0);
            let times = low.wrapping_mul(M::INVERSE);
            let (_, mut carry) = times.carrying_mul_add(M::NUMBER[0], low, 0);
            for j in 1..4 {
                let sum;
                (sum, high) = a[j].carrying_mul_add(b[i], t[j], high);
                (t[j - 1], carry) = times.carrying_mul_add(M::NUMBER[j], sum, carry);
            }
            t[3] = high + carry;
        }
        Self(t, PhantomData)
    }

    /// Of factors below 4·q.
    #[inline(always)]
    pub(super) fn product(self, other: Self) -> Double<M> {
        let mut out = [0; 8];
        for i in 0..4 {
            let mut carry = 0;
            for j in 0..4 {
                (out[i + j], carry) = self.0[j].carrying_mul_add(other.0[i], out[i + j], carry);
            }
            out[i + 4] = carry;
        }
        Double(out, PhantomData)
    }

    #[inline(always)]
    pub(super) fn square_product(self) -> Double<M> {
        let a = self.0;
        let mut out = [0; 8];
        for i in 0..3 {
            let mut carry = 0;
            for j in i + 1..4 {
                (out[i + j], carry) = a[j].carrying_mul_add(a[i], out[i + j], carry);
            }
            out[i + 4] = carry;
        }
        for i in (1..8).rev() {
            out[i] = out[i] << 1 | out[i - 1] >> 63;
        }
        let mut carry = false;
        for i in 0..4 {
            let (low, high) = a[i].carrying_mul(a[i], 0);
            (out[2 * i], carry) = out[2 * i].carrying_add(low, carry);
            (out[2 * i + 1], carry) = out[2 * i + 1].carrying_add(high, carry);
        }
        Double(out, PhantomData)
    }

    /// An element below 2·q, of a number below 4·q.
    #[inline(always)]
    fn nearer(self) -> Self {
        let (less, borrow) = sub(self.0, Self::TWICE);
        let mut out = less;
        for i in 0..4 {
            out[i] = if borrow { self.0[i] } else { less[i] };
        }
        Self(out, PhantomData)
    }
}

impl<M: Modulus> Double<M> {
    #[inline(always)]
    pub(super) fn add(self, other: Self) -> Self {
        let mut out = self;
        let mut carry = false;
        for i in 0..8 {
            (out.0[i], carry) = self.0[i].carrying_add(other.0[i], carry);
        }
        out
    }

    /// Of a value that is not below `other`.
    #[inline(always)]
    pub(super) fn sub(self, other: Self) -> Self {
        let mut out = self;
        let mut borrow = false;
        for i in 0..8 {
            (out.0[i], borrow) = self.0[i].borrowing_sub(other.0[i], borrow);
        }
        out
    }

    /// Plus q·2^256, which is 5.29·q².
    #[inline(always)]
    pub(super) fn lift(self) -> Self {
        let [a, b, c, d, e, f, g, h] = self.0;
        let ([e, f, g, h], _) = add([e, f, g, h], M::NUMBER);
        Self([a, b, c, d, e, f, g, h], PhantomData)
    }

    /// Of a product below 5.2·q².
    #[inline(always)]
    pub(super) fn reduce(self) -> Residue<M> {
        let mut t = self.0;
        let mut top = false;
        for i in 0..4 {
            let times = t[i].wrapping_mul(M::INVERSE);
            let mut carry = 0;
            for j in 0..4 {
                (t[i + j], carry) = times.carrying_mul_add(M::NUMBER[j], t[i + j], carry);
            }
            (t[i + 4], top) = t[i + 4].carrying_add(carry, top);
        }
        Residue([t[4], t[5], t[6], t[7]], PhantomData)
    }

    /// Of a product below 15·q².
    #[inline(always)]
    pub(super) fn reduce_far(self) -> Residue<M> {
        self.reduce().nearer()
    }
}

/// All bits where `set`.
#[inline(always)]
fn mask(set: bool) -> u64 {
    u64::from(set).wrapping_neg()
}

#[inline(always)]
fn add(a: Limbs, b: Limbs) -> (Limbs, bool) {
    let mut out = a;
    let mut carry = false;
    for i in 0..4 {
        (out[i], carry) = a[i].carrying_add(b[i], carry);
    }
    (out, carry)
}

#[inline(always)]
fn sub(a: Limbs, b: Limbs) -> (Limbs, bool) {
    let mut out = a;
    let mut borrow = false;
    for i in 0..4 {
        (out[i], borrow) = a[i].borrowing_sub(b[i], borrow);
    }
    (out, borrow)
}

const fn twice([a, b, c, d]: Limbs) -> Limbs {
    [a << 1, b << 1 | a >> 63, c << 1 | b >> 63, d << 1 | c >> 63]
}
