//! Elements of Fq, a lane each, in five limbs of 52 bits.
//!
//! A multiplication is Montgomery's with R = 2^260, so arkworks' own numbers
//! (a·2^256 mod q) are used as they are and stand for a/16: see
//! [`point`](super::point) for what becomes of the 16. Numbers are not reduced
//! further than needed; q is 2^260 / 84.65, so a product of factors below
//! k·q and l·q is below (1 + k·l/84)·q.
//!
//! **Clean** elements have limbs below 2^52, as a multiplication needs of its
//! factors. **Raw** ones have signed limbs of up to 2^62, as sums and products
//! leave them: cheap to add to, and a clean element is raw too.

use ark_bn254::{Fq as ArkFq, FqConfig};
use ark_ff::{BigInt, BigInteger, MontConfig, PrimeField, serial_batch_inversion_and_mul};

use super::lanes::{LANES, LIMB_BITS, Lanes, Limbs, Mask};

/// Limbs of an element.
const LIMBS: usize = 5;
const LOW: u64 = (1 << LIMB_BITS) - 1;
/// −1/q mod 2^52.
const INVERSE: u64 = <FqConfig as MontConfig<4>>::INV & LOW;
const Q: [u64; LIMBS] = multiple(1);
/// A seventh of the numbers that [`Fq::reduce`] takes lies below zero.
const BELOW: u64 = 3;
/// `TABLES[i][e]` is limb i of (e − 3)·q, signed.
const TABLES: [[u64; 8]; LIMBS] = tables();
/// 2^260 / q, rounded down.
const QUOTIENT: u64 = 84;

/// Sixteen elements.
#[derive(Clone, Copy)]
pub(crate) struct Fq<L: Lanes>(pub(super) [L::Word; LIMBS]);

/// A product before its reduction: ten raw limbs.
#[derive(Clone, Copy)]
pub(super) struct Product<L: Lanes>(pub(super) [L::Word; 2 * LIMBS]);

/// The limbs of `factor`·q, for factors below 64.
const fn multiple(factor: u64) -> [u64; LIMBS] {
    let [a, b, c, d] = <FqConfig as MontConfig<4>>::MODULUS.0;
    let q = [
        a & LOW,
        (a >> 52 | b << 12) & LOW,
        (b >> 40 | c << 24) & LOW,
        (c >> 28 | d << 36) & LOW,
        d >> 16,
    ];
    let mut out = [0; LIMBS];
    let mut carry = 0;
    let mut i = 0;
    while i < LIMBS {
        let limb = q[i] as u128 * factor as u128 + carry;
        out[i] = limb as u64 & LOW;
        carry = limb >> LIMB_BITS;
        i += 1;
    }
    assert!(carry == 0, "the multiple fits");
    out
}

const fn tables() -> [[u64; 8]; LIMBS] {
    let mut out = [[0; 8]; LIMBS];
    let mut e = 0;
    while e < 8 {
        let below = multiple(BELOW);
        let all = multiple(e as u64);
        let mut i = 0;
        while i < LIMBS {
            out[i][e] = all[i].wrapping_sub(below[i]);
            i += 1;
        }
        e += 1;
    }
    out
}

impl<L: Lanes> Fq<L> {
    #[inline(always)]
    fn splat(lanes: L, limbs: [u64; LIMBS]) -> Self {
        let mut out = [lanes.splat(0); LIMBS];
        for i in 0..LIMBS {
            out[i] = lanes.splat(limbs[i]);
        }
        Self(out)
    }

    /// `factor`·q, for factors below 64.
    #[inline(always)]
    fn multiple<const FACTOR: u64>(lanes: L) -> Self {
        Self::splat(lanes, const { multiple(FACTOR) })
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
        Self([
            lanes.and(a, low),
            join(lanes.shift_left::<12>(b), lanes.shift_right::<52>(a)),
            join(lanes.shift_left::<24>(c), lanes.shift_right::<40>(b)),
            join(lanes.shift_left::<36>(d), lanes.shift_right::<28>(c)),
            lanes.shift_right::<16>(d),
        ])
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
        Self(out)
    }

    /// Raw; of the value of `self` − `other`, which may lie below zero.
    #[inline(always)]
    pub(crate) fn sub(self, lanes: L, other: Self) -> Self {
        let mut out = self.0;
        for i in 0..LIMBS {
            out[i] = lanes.sub(out[i], other.0[i]);
        }
        Self(out)
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
        Self(out)
    }

    /// Raw; the negative in the lanes of `mask`.
    #[inline(always)]
    pub(crate) fn negate(self, lanes: L, mask: Mask) -> Self {
        let mut out = self.0;
        let zero = lanes.splat(0);
        for limb in &mut out {
            *limb = lanes.select(mask, lanes.sub(zero, *limb), *limb);
        }
        Self(out)
    }

    #[inline(always)]
    pub(crate) fn select(lanes: L, mask: Mask, a: Self, b: Self) -> Self {
        let mut out = b.0;
        for i in 0..LIMBS {
            out[i] = lanes.select(mask, a.0[i], b.0[i]);
        }
        Self(out)
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
        Self(out)
    }

    /// Clean and of 0 to 1.07·q, from a raw value of −2.9·q to 4.9·q.
    ///
    /// How often q is in the value is told by its top limb alone: 84 / 2^52 is
    /// by less than a hundredth too small for the inverse of q's top limb, and
    /// what lower limbs still carry is less than 2^-34 of that.
    #[inline(always)]
    pub(crate) fn reduce(self, lanes: L) -> Self {
        let below = const { multiple(BELOW)[LIMBS - 1] };
        let top = lanes.add(self.0[LIMBS - 1], lanes.splat(below));
        let times = lanes.multiply_high(lanes.splat(0), top, lanes.splat(QUOTIENT));
        let mut out = self.0;
        for i in 0..LIMBS {
            out[i] = lanes.sub(out[i], lanes.look_up(&TABLES[i], times));
        }
        Self(out).clean(lanes)
    }

    /// Of clean factors.
    #[inline(always)]
    pub(super) fn product(self, lanes: L, other: Self) -> Product<L> {
        let mut out = [lanes.splat(0); 2 * LIMBS];
        for i in 0..LIMBS {
            for j in 0..LIMBS {
                out[i + j] = lanes.multiply_low(out[i + j], self.0[i], other.0[j]);
                out[i + j + 1] = lanes.multiply_high(out[i + j + 1], self.0[i], other.0[j]);
            }
        }
        Product(out)
    }

    /// Of a clean factor with itself.
    #[inline(always)]
    pub(super) fn square_product(self, lanes: L) -> Product<L> {
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
        Product(out)
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
            let low = lanes.splat(Q[0].wrapping_mul(factor) & LOW);
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

    /// In place of a, the number that divides by a when it is a factor of a
    /// multiplication, over four: 2^518 / a mod q. Of clean values of 0 to
    /// 2^256; zero stays zero.
    #[inline(always)]
    pub(crate) fn quarter_inverse(self, lanes: L) -> Self {
        let numbers = self.store(lanes);
        let inverted = invert(&numbers);
        let mut rows = [&inverted[0]; LANES];
        for lane in 0..LANES {
            rows[lane] = &inverted[lane];
        }
        Self::load(lanes, rows)
    }
}

/// One inversion for all lanes, by arkworks' arithmetic. A stored number a is
/// a / 2^256 to arkworks, and what it stores for the inverse of that is
/// 2^512 / a.
#[inline(never)]
fn invert(numbers: &[Limbs; LANES]) -> [Limbs; LANES] {
    let mut values = numbers.map(|number| canonical(&number));
    serial_batch_inversion_and_mul(&mut values, &ArkFq::from(1 << 6));
    values.map(|value| value.0.0)
}

/// arkworks' element of a stored number, which may exceed q.
pub(crate) fn canonical(number: &Limbs) -> ArkFq {
    let mut number = BigInt(*number);
    while number >= ArkFq::MODULUS {
        number.sub_with_borrow(&ArkFq::MODULUS);
    }
    ArkFq::new_unchecked(number)
}

impl<L: Lanes> Product<L> {
    #[inline(always)]
    pub(super) fn add(self, lanes: L, other: Self) -> Self {
        let mut out = self.0;
        for i in 0..2 * LIMBS {
            out[i] = lanes.add(out[i], other.0[i]);
        }
        Self(out)
    }

    #[inline(always)]
    pub(super) fn sub(self, lanes: L, other: Self) -> Self {
        let mut out = self.0;
        for i in 0..2 * LIMBS {
            out[i] = lanes.sub(out[i], other.0[i]);
        }
        Self(out)
    }

    /// Raw: the product over 2^260, plus less than q.
    #[inline(always)]
    pub(super) fn reduce(self, lanes: L) -> Fq<L> {
        let mut t = self.0;
        let zero = lanes.splat(0);
        for i in 0..LIMBS {
            let times = lanes.multiply_low(zero, t[i], lanes.splat(INVERSE));
            for j in 0..LIMBS {
                let q = lanes.splat(Q[j]);
                t[i + j] = lanes.multiply_low(t[i + j], times, q);
                t[i + j + 1] = lanes.multiply_high(t[i + j + 1], times, q);
            }
            t[i + 1] = lanes.add(t[i + 1], lanes.shift_right_signed::<LIMB_BITS>(t[i]));
        }
        let mut out = [zero; LIMBS];
        out.copy_from_slice(&t[LIMBS..]);
        Fq(out)
    }
}
