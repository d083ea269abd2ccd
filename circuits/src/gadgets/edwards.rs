//! Baby Jubjub as rows: the twisted Edwards curve `x² + y² = 1 + d·x²y²`.
//!
//! The addition law is complete on the whole curve, because 1 is a square and d
//! is not: it holds for points of any order, and every hint below has exactly
//! one value.

use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ec::twisted_edwards::TECurveConfig;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ed_on_bn254::{EdwardsAffine, EdwardsConfig, EdwardsProjective};
use ark_ff::{AdditiveGroup, Field};

use super::bits::inverse_hint;
use crate::r1cs::{Bit, Builder, Num};

/// A pair of coordinates. The code that creates the pair ensures that it is a
/// point of the curve.
#[derive(Clone, Debug)]
pub(crate) struct EdwardsPoint {
    pub(crate) x: Num,
    pub(crate) y: Num,
}

impl EdwardsPoint {
    /// Allocates two variables and enforces that they are a point of the curve: four rows.
    pub(crate) fn alloc(b: &mut Builder, x: Fr, y: Fr) -> Self {
        let point = Self {
            x: b.alloc(x),
            y: b.alloc(y),
        };
        let xx = b.mul(&point.x, &point.x);
        let yy = b.mul(&point.y, &point.y);
        let product = b.mul(&xx, &yy);
        let right = product.scale(EdwardsConfig::COEFF_D).plus(Fr::ONE);
        b.equal(&(&xx + &yy), &right);
        point
    }

    /// Returns the sum of two points of the curve: six rows.
    pub(crate) fn add(b: &mut Builder, left: &Self, right: &Self) -> Self {
        let cross = b.mul(&left.x, &right.y);
        let other = b.mul(&left.y, &right.x);
        let product = b.mul(&cross, &other).scale(EdwardsConfig::COEFF_D);
        // (y − x)(y' + x') = yy' − xx' + yx' − xy'
        let mixed = b.mul(&(&left.y - &left.x), &(&right.y + &right.x));
        let x = quotient(b, &(&cross + &other), &product.plus(Fr::ONE));
        let below = &Num::one() - &product;
        let y = quotient(b, &(&(&mixed - &other) + &cross), &below);
        Self { x, y }
    }

    /// Returns the point if the bit is set, else the neutral element: two rows.
    fn masked(&self, b: &mut Builder, bit: &Bit) -> Self {
        Self {
            x: b.mul(bit.num(), &self.x),
            y: b.mul(bit.num(), &self.y.plus(-Fr::ONE)).plus(Fr::ONE),
        }
    }
}

/// Returns `above / below` for a divisor that is never zero: one row.
fn quotient(b: &mut Builder, above: &Num, below: &Num) -> Num {
    let inverse = inverse_hint(b, below.value());
    let quotient = b.alloc(above.value() * inverse);
    b.enforce(&quotient, below, above);
    quotient
}

/// Returns `Σ 2^j·bits[j]` times a point of the curve: 14 rows per bit, except for the highest.
pub(crate) fn multiply(b: &mut Builder, bits: &[Bit], point: &EdwardsPoint) -> EdwardsPoint {
    let (highest, lower) = bits.split_last().expect("at least one bit");
    let mut sum = point.masked(b, highest);
    for bit in lower.iter().rev() {
        sum = EdwardsPoint::add(b, &sum, &sum);
        let term = point.masked(b, bit);
        sum = EdwardsPoint::add(b, &sum, &term);
    }
    sum
}

/// Returns `Σ 2^j·bits[j]` times the generator: seven rows per two bits.
pub(crate) fn multiply_generator(b: &mut Builder, bits: &[Bit]) -> EdwardsPoint {
    let mut sum: Option<EdwardsPoint> = None;
    for (pair, [one, two, three]) in bits.chunks(2).zip(multiples()) {
        let low = pair[0].num();
        let (high, both) = match pair.get(1) {
            Some(bit) => (bit.num().clone(), b.mul(low, bit.num())),
            None => (Num::zero(), Num::zero()),
        };
        // Each coordinate is linear in the two bits and their product.
        let choose = |neutral: Fr, of: fn(&EdwardsAffine) -> Fr| {
            let [one, two, three] = [one, two, three].map(of);
            let parts = [
                (one - neutral, low),
                (two - neutral, &high),
                (three - one - two + neutral, &both),
            ];
            Num::weighted_sum(parts).plus(neutral)
        };
        let term = EdwardsPoint {
            x: choose(Fr::ZERO, |point| point.x),
            y: choose(Fr::ONE, |point| point.y),
        };
        sum = Some(match sum {
            Some(sum) => EdwardsPoint::add(b, &sum, &term),
            None => term,
        });
    }
    sum.expect("at least one bit")
}

/// Returns `4^k·G`, `2·4^k·G` and `3·4^k·G` for every pair of bits of an element.
fn multiples() -> &'static [[EdwardsAffine; 3]] {
    static MULTIPLES: OnceLock<Vec<[EdwardsAffine; 3]>> = OnceLock::new();
    MULTIPLES.get_or_init(|| {
        let generator = EdwardsProjective::from(EdwardsAffine::generator());
        let powers = std::iter::successors(Some(generator), |one| Some(one.double().double()));
        powers
            .take(crate::field::FIELD_BITS / 2)
            .map(|one| [one, one.double(), one.double() + one].map(|point| point.into_affine()))
            .collect()
    })
}
