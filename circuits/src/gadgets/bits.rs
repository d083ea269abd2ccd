//! Bit decompositions and tests for zero and equality, as rows (constraints).

use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};

use crate::field::FIELD_BITS;
use crate::r1cs::{Bit, Builder, Num};

/// Returns `Σ 2^j·bits[j]`.
pub(crate) fn pack(bits: &[Bit]) -> Num {
    let weights = std::iter::successors(Some(Fr::ONE), |w| Some(w.double()));
    Num::weighted_sum(weights.zip(bits.iter().map(Bit::num)))
}

/// Returns the low `count` bits of a value and enforces that the value has no
/// others: `count + 1` rows. Each bit is its own variable, so that later rows
/// stay sparse.
pub(crate) fn decompose(b: &mut Builder, value: &Num, count: usize) -> Vec<Bit> {
    let integer = value.value().into_bigint();
    let bits: Vec<Bit> = (0..count)
        .map(|j| b.alloc_bit(integer.get_bit(j)))
        .collect();
    b.equal(&pack(&bits), value);
    bits
}

/// Returns the bits of the representative below the modulus: 308 rows.
pub(crate) fn decompose_canonical(b: &mut Builder, value: &Num) -> Vec<Bit> {
    let bits = decompose(b, value, FIELD_BITS);
    enforce_canonical(b, &bits);
    bits
}

/// Enforces that 254 bits represent an integer of at most `p − 1`: one row for
/// each of its 53 runs of zero bits.
///
/// In a run of zeros of `p − 1`, bits may be set only if some higher bit is
/// clear at a one of `p − 1`. With D the number of such clear bits and Z the
/// number of set bits in the run, a row enforces `Z = w·D` for a free `w`: D =
/// 0 forces Z = 0, otherwise `w = Z/D` exists. The counts are below 254, so
/// they do not wrap.
pub(crate) fn enforce_canonical(b: &mut Builder, bits: &[Bit]) {
    let mut clear_above = Num::zero();
    let mut clear_count = 0;
    for (is_one, run) in runs() {
        let in_run = &bits[run.clone()];
        let set = Num::sum(in_run.iter().map(Bit::num));
        let set_count = in_run.iter().filter(|bit| bit.is_set()).count();
        if *is_one {
            let length = Num::constant(Fr::from(in_run.len() as u64));
            clear_above = &clear_above + &(&length - &set);
            clear_count += in_run.len() - set_count;
        } else {
            let quotient = b.alloc(Fr::from(set_count as u64) * small_inverse(clear_count));
            b.enforce(&quotient, &clear_above, &set);
        }
    }
}

/// Returns the maximal runs of equal bits of `p − 1`, highest first.
fn runs() -> &'static [(bool, std::ops::Range<usize>)] {
    static RUNS: OnceLock<Vec<(bool, std::ops::Range<usize>)>> = OnceLock::new();
    RUNS.get_or_init(|| {
        let top = (-Fr::ONE).into_bigint();
        let mut runs: Vec<(bool, std::ops::Range<usize>)> = Vec::new();
        for bit in (0..FIELD_BITS).rev() {
            match runs.last_mut() {
                Some((is_one, run)) if *is_one == top.get_bit(bit) => run.start = bit,
                _ => runs.push((top.get_bit(bit), bit..bit + 1)),
            }
        }
        runs
    })
}

/// Returns `1/n` for a small count `n`, and 0 for 0.
fn small_inverse(n: usize) -> Fr {
    static INVERSES: OnceLock<Vec<Fr>> = OnceLock::new();
    let inverses = INVERSES.get_or_init(|| {
        (0..=FIELD_BITS as u64)
            .map(|n| Fr::from(n).inverse().unwrap_or(Fr::ZERO))
            .collect()
    });
    inverses[n]
}

/// Returns the inverse as a hint: 0 for 0, and in runs without values.
pub(crate) fn inverse_hint(b: &Builder, value: Fr) -> Fr {
    let inverse = b.has_values().then(|| value.inverse());
    inverse.flatten().unwrap_or(Fr::ZERO)
}

/// Returns whether a value is zero: two rows.
pub(crate) fn is_zero(b: &mut Builder, value: &Num) -> Bit {
    if value.is_constant() {
        return Bit::constant(value.value() == Fr::ZERO);
    }
    let hint = inverse_hint(b, value.value());
    let inverse = b.alloc(hint);
    // zero = 1 − value·inverse, and value·zero = 0: `zero` is 1 for a zero
    // value and 0 for any other value.
    let zero = b.alloc(Fr::ONE - value.value() * inverse.value());
    b.enforce(value, &inverse, &(&Num::one() - &zero));
    b.zero_where(value, &zero);
    Bit::assert_boolean(zero)
}

/// Returns whether two values are equal: two rows.
pub(crate) fn is_equal(b: &mut Builder, left: &Num, right: &Num) -> Bit {
    is_zero(b, &(left - right))
}

/// Enforces that a value is not zero if `condition` is 1: one row. If
/// `condition` is 0 the value is free, because the hint is free.
pub(crate) fn enforce_nonzero_where(b: &mut Builder, value: &Num, condition: &Num) {
    let hint = inverse_hint(b, value.value());
    let inverse = b.alloc(hint);
    b.enforce(value, &inverse, condition);
}

/// Enforces `left ≤ right` for two values that already fit `bits` bits: the
/// difference must fit as well. A negative difference is close to p and does not.
pub(crate) fn enforce_at_most(b: &mut Builder, left: &Num, right: &Num, bits: usize) {
    debug_assert!(bits < FIELD_BITS - 1);
    decompose(b, &(right - left), bits);
}
