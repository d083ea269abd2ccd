//! Bit decompositions and tests for zero and equality.

use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};

use crate::field::FIELD_BITS;
use crate::r1cs::{Bit, Builder, Num};

/// `Σ 2^j·bits[j]`.
pub(crate) fn pack(bits: &[Bit]) -> Num {
    let weights = std::iter::successors(Some(Fr::ONE), |w| Some(w.double()));
    Num::weighted_sum(weights.zip(bits.iter().map(Bit::num)))
}

/// The low `count` bits of a value, and a row that there are no others:
/// `count + 1` rows. Every bit is a variable of its own, so that later rows
/// stay sparse.
pub(crate) fn decompose(b: &mut Builder, value: &Num, count: usize) -> Vec<Bit> {
    let integer = value.value().into_bigint();
    let bits: Vec<Bit> = (0..count)
        .map(|j| b.alloc_bit(integer.get_bit(j)))
        .collect();
    b.equal(&pack(&bits), value);
    bits
}

/// The bits of the one representative below the modulus: 308 rows.
pub(crate) fn decompose_canonical(b: &mut Builder, value: &Num) -> Vec<Bit> {
    let bits = decompose(b, value, FIELD_BITS);
    enforce_canonical(b, &bits);
    bits
}

/// Forces 254 bits to spell an integer of at most `p − 1`: one row for each
/// of its 53 runs of zero bits.
///
/// Where `p − 1` has a run of zeros, the bits may only be set if some higher
/// bit is clear where `p − 1` has a one. With D the number of such clear bits
/// and Z the number of set bits in the run, a row demands `Z = w·D` for a
/// free `w`: D = 0 forces Z = 0, otherwise `w = Z/D` exists. The counts are
/// below 254, so they do not wrap.
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

/// Maximal runs of equal bits of `p − 1`, highest first.
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

/// `1/n` for the small counts above; 0 for 0.
fn small_inverse(n: usize) -> Fr {
    static INVERSES: OnceLock<Vec<Fr>> = OnceLock::new();
    let inverses = INVERSES.get_or_init(|| {
        (0..=FIELD_BITS as u64)
            .map(|n| Fr::from(n).inverse().unwrap_or(Fr::ZERO))
            .collect()
    });
    inverses[n]
}

/// The inverse as a hint: 0 for 0, and where values do not matter.
pub(crate) fn inverse_hint(b: &Builder, value: Fr) -> Fr {
    let inverse = b.has_values().then(|| value.inverse());
    inverse.flatten().unwrap_or(Fr::ZERO)
}

/// Whether a value is zero: two rows.
pub(crate) fn is_zero(b: &mut Builder, value: &Num) -> Bit {
    if value.is_constant() {
        return Bit::constant(value.value() == Fr::ZERO);
    }
    let hint = inverse_hint(b, value.value());
    let inverse = b.alloc(hint);
    // zero = 1 − value·inverse, and value·zero = 0: a zero value makes it 1,
    // any other value makes it 0.
    let zero = b.alloc(Fr::ONE - value.value() * inverse.value());
    b.enforce(value, &inverse, &(&Num::one() - &zero));
    b.zero_where(value, &zero);
    Bit::assert_boolean(zero)
}

/// Whether two values are equal: two rows.
pub(crate) fn is_equal(b: &mut Builder, left: &Num, right: &Num) -> Bit {
    is_zero(b, &(left - right))
}

/// Demands that a value is not zero wherever `condition` is 1: one row. Where
/// it is 0 the value is free, because the hint is.
pub(crate) fn enforce_nonzero_where(b: &mut Builder, value: &Num, condition: &Num) {
    let hint = inverse_hint(b, value.value());
    let inverse = b.alloc(hint);
    b.enforce(value, &inverse, condition);
}

/// Demands `left ≤ right` for two values already known to fit `bits` bits:
/// the difference fits as well, which a negative one, close to p, cannot.
pub(crate) fn enforce_at_most(b: &mut Builder, left: &Num, right: &Num, bits: usize) {
    debug_assert!(bits < FIELD_BITS - 1);
    decompose(b, &(right - left), bits);
}
