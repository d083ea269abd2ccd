//! Linear combinations with their values.

use std::ops::{Add, Mul, Sub};

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};

/// A linear combination of variables and its value.
///
/// The terms are kept only in runs that need them. The value is always kept,
/// but has no meaning while rows are only counted.
#[derive(Clone, Debug)]
pub struct Num {
    value: Fr,
    offset: Fr,
    is_constant: bool,
    /// Sorted by variable, without zero coefficients.
    terms: Vec<(u32, Fr)>,
}

impl Num {
    /// Returns a constant, which takes no row and no variable.
    pub fn constant(value: Fr) -> Self {
        Self {
            value,
            offset: value,
            is_constant: true,
            terms: Vec::new(),
        }
    }

    /// Returns the constant 0.
    pub fn zero() -> Self {
        Self::constant(Fr::ZERO)
    }

    /// Returns the constant 1.
    pub fn one() -> Self {
        Self::constant(Fr::ONE)
    }

    pub(super) fn variable(value: Fr, index: Option<u32>) -> Self {
        let terms = index.map(|index| (index, Fr::ONE)).into_iter().collect();
        Self {
            value,
            offset: Fr::ZERO,
            is_constant: false,
            terms,
        }
    }

    /// Creates a combination in a run that keeps no terms.
    pub(crate) fn opaque(value: Fr) -> Self {
        Self::variable(value, None)
    }

    /// Returns the value under the current witness.
    pub fn value(&self) -> Fr {
        self.value
    }

    /// Returns whether this is a constant of the circuit: no witness changes its value.
    pub(crate) fn is_constant(&self) -> bool {
        self.is_constant
    }

    /// Returns the coefficient of the constant variable 1.
    pub(super) fn offset(&self) -> Fr {
        self.offset
    }

    /// Returns the terms without the constant, sorted by variable.
    pub(super) fn terms(&self) -> &[(u32, Fr)] {
        &self.terms
    }

    /// Returns the combination times a constant.
    pub(crate) fn scale(&self, factor: Fr) -> Self {
        let terms = if factor == Fr::ZERO {
            &[]
        } else {
            &self.terms[..]
        };
        Self {
            value: self.value * factor,
            offset: self.offset * factor,
            is_constant: self.is_constant,
            terms: terms
                .iter()
                .map(|(index, k)| (*index, *k * factor))
                .collect(),
        }
    }

    /// Returns the combination plus a constant.
    #[must_use]
    pub fn plus(&self, constant: Fr) -> Self {
        let mut sum = self.clone();
        sum.value += constant;
        sum.offset += constant;
        sum
    }

    /// Returns `Σ k·num`, computed in one pass.
    pub(crate) fn weighted_sum<'a>(parts: impl IntoIterator<Item = (Fr, &'a Self)>) -> Self {
        let mut sum = Self::zero();
        for (factor, part) in parts {
            sum.value += part.value * factor;
            sum.offset += part.offset * factor;
            sum.is_constant &= part.is_constant;
            sum.terms
                .extend(part.terms.iter().map(|(index, k)| (*index, *k * factor)));
        }
        sum.terms.sort_by_key(|(index, _)| *index);
        sum.terms.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        sum.terms.retain(|(_, k)| *k != Fr::ZERO);
        sum
    }

    /// Returns the sum of some combinations.
    pub(crate) fn sum<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Self {
        Self::weighted_sum(parts.into_iter().map(|part| (Fr::ONE, part)))
    }

    fn merge(&self, other: &Self, sign: impl Fn(Fr) -> Fr) -> Self {
        let mut terms = Vec::with_capacity(self.terms.len() + other.terms.len());
        let (mut left, mut right) = (self.terms.as_slice(), other.terms.as_slice());
        while let (Some((i, a)), Some((j, b))) = (left.first(), right.first()) {
            if i < j {
                terms.push((*i, *a));
                left = &left[1..];
            } else if j < i {
                terms.push((*j, sign(*b)));
                right = &right[1..];
            } else {
                let sum = *a + sign(*b);
                if sum != Fr::ZERO {
                    terms.push((*i, sum));
                }
                (left, right) = (&left[1..], &right[1..]);
            }
        }
        terms.extend_from_slice(left);
        terms.extend(right.iter().map(|(j, b)| (*j, sign(*b))));
        Self {
            value: self.value + sign(other.value),
            offset: self.offset + sign(other.offset),
            is_constant: self.is_constant && other.is_constant,
            terms,
        }
    }
}

impl Add for &Num {
    type Output = Num;

    fn add(self, other: Self) -> Num {
        self.merge(other, |k| k)
    }
}

impl Sub for &Num {
    type Output = Num;

    fn sub(self, other: Self) -> Num {
        self.merge(other, |k| -k)
    }
}

impl Mul<Fr> for &Num {
    type Output = Num;

    fn mul(self, factor: Fr) -> Num {
        self.scale(factor)
    }
}

/// A combination that rows, or its definition, force to be 0 or 1.
#[derive(Clone, Debug)]
pub struct Bit(Num);

impl Bit {
    /// Wraps a combination that the caller has already forced to be 0 or 1.
    pub(crate) fn assert_boolean(num: Num) -> Self {
        Self(num)
    }

    /// Returns a constant bit.
    pub fn constant(bit: bool) -> Self {
        Self(Num::constant(Fr::from(bit)))
    }

    /// Returns the combination.
    pub(crate) fn num(&self) -> &Num {
        &self.0
    }

    /// Returns whether the bit is set.
    pub(crate) fn is_set(&self) -> bool {
        self.0.value != Fr::ZERO
    }

    /// Returns `1 − bit`.
    #[must_use]
    pub fn not(&self) -> Self {
        Self(&Num::one() - &self.0)
    }
}
