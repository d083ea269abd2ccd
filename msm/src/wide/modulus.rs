//! A prime in limbs of 52 bits.

use super::lanes::LIMB_BITS;
use crate::modulus::Limbs;

/// Limbs of an element.
pub(super) const LIMBS: usize = 5;
pub(super) const LOW: u64 = (1 << LIMB_BITS) - 1;
/// 2^260 over either prime, rounded down.
pub(super) const QUOTIENT: u64 = 84;
/// How often the prime fits in what [`reduce`](super::element::Element::reduce)
/// takes below zero.
pub(super) const BELOW: u64 = 3;

/// Four limbs of 64 bits as five of 52.
pub(super) const fn split([a, b, c, d]: Limbs) -> [u64; LIMBS] {
    [
        a & LOW,
        (a >> 52 | b << 12) & LOW,
        (b >> 40 | c << 24) & LOW,
        (c >> 28 | d << 36) & LOW,
        d >> 16,
    ]
}

/// The limbs of `factor`·q, for factors below 64.
pub(super) const fn multiple(number: Limbs, factor: u64) -> [u64; LIMBS] {
    let q = split(number);
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

/// `tables[i][e]` is limb i of (e − 3)·q, signed.
pub(super) const fn tables(number: Limbs) -> [[u64; 8]; LIMBS] {
    let mut out = [[0; 8]; LIMBS];
    let mut e = 0;
    while e < 8 {
        let below = multiple(number, BELOW);
        let all = multiple(number, e as u64);
        let mut i = 0;
        while i < LIMBS {
            out[i][e] = all[i].wrapping_sub(below[i]);
            i += 1;
        }
        e += 1;
    }
    out
}
