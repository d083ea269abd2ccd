//! Identities over integers that are larger than the field.

use ark_bn254::Fr;
use ark_ff::{BigInt, BigInteger, PrimeField};

use super::bits::{decompose, pack};
use super::hash::BitNum;
use crate::field::power_of_two;
use crate::r1cs::{Bit, Builder, Num};

/// Bits of a limb. Products of two limbs, and sums of a few, are far below p.
const LIMB_BITS: usize = 84;
/// Number of limbs of a 252-bit integer.
const LIMBS: usize = 3;
/// The largest length of an amount, in bits.
pub(crate) const AMOUNT_BITS: usize = LIMB_BITS * LIMBS;
/// Bits of a carry, which is between −2^87 and 2^87: a column sums at most four
/// 168-bit products, 84-bit limbs and the previous carry.
const CARRY_BITS: usize = 88;

/// Enforces `out = ⌊deposit·total / input⌋` over the integers, for four values of
/// at most 252 bits with their bits. No witness satisfies it for `input = 0`.
pub(crate) fn enforce_share(b: &mut Builder, shares: [&BitNum; 4]) {
    let [deposit, total, out, input] = shares;
    let remainder = remainder(shares.map(|word| word.num.value()));
    let remainder = b.alloc(remainder);
    let remainder_bits = decompose(b, &remainder, AMOUNT_BITS);
    let slack = (&input.num - &remainder).plus(-Fr::from(1u64));
    decompose(b, &slack, AMOUNT_BITS);

    let left = products(b, &limbs(&deposit.bits), &limbs(&total.bits));
    let right = products(b, &limbs(&out.bits), &limbs(&input.bits));
    let rest = limbs(&remainder_bits);
    let mut carry = Num::zero();
    for column in 0..2 * LIMBS - 1 {
        let mut sum = &(&left[column] - &right[column]) + &carry;
        if let Some(limb) = rest.get(column) {
            sum = &sum - limb;
        }
        if column == 2 * LIMBS - 2 {
            b.equal(&sum, &Num::zero());
        } else {
            carry = carry_out(b, &sum);
        }
    }
}

/// Enforces that a signed column is a multiple of `2^84` and returns the quotient.
fn carry_out(b: &mut Builder, column: &Num) -> Num {
    let offset = power_of_two(CARRY_BITS - 1);
    // Adding a multiple of `2^84` makes the column positive, so that its
    // integer value can be shifted right.
    let shifted = column.value() + offset * power_of_two(LIMB_BITS);
    let cut = shifted.into_bigint() >> LIMB_BITS as u32;
    let shifted_carry = b.alloc(Fr::from_bigint(cut).unwrap_or_default());
    decompose(b, &shifted_carry, CARRY_BITS);
    let carry = shifted_carry.plus(-offset);
    b.equal(column, &carry.scale(power_of_two(LIMB_BITS)));
    carry
}

fn limbs(bits: &[Bit]) -> Vec<Num> {
    let mut limbs: Vec<Num> = bits.chunks(LIMB_BITS).map(pack).collect();
    limbs.resize_with(LIMBS, Num::zero);
    limbs
}

/// Returns the columns of a schoolbook product.
fn products(b: &mut Builder, left: &[Num], right: &[Num]) -> Vec<Num> {
    let mut columns = vec![Num::zero(); 2 * LIMBS - 1];
    for (i, x) in left.iter().enumerate() {
        for (j, y) in right.iter().enumerate() {
            columns[i + j] = &columns[i + j] + &b.mul(x, y);
        }
    }
    columns
}

/// Returns `deposit·total − out·input` if it fits the field; other values break
/// the rows anyway.
fn remainder(values: [Fr; 4]) -> Fr {
    let [deposit, total, out, input] = values.map(|value| value.into_bigint());
    let mut difference = wide_product(deposit, total);
    let borrow = difference.sub_with_borrow(&wide_product(out, input));
    let fits = !borrow && difference.0[4..].iter().all(|limb| *limb == 0);
    let low = BigInt::<4>::new(std::array::from_fn(|i| difference.0[i]));
    let low = Fr::from_bigint(low).filter(|_| fits);
    low.unwrap_or_default()
}

/// Returns the product of two 256-bit integers.
pub(crate) fn wide_product(a: BigInt<4>, b: BigInt<4>) -> BigInt<8> {
    let (low, high) = a.mul(&b);
    let mut limbs = [0; 8];
    limbs[..4].copy_from_slice(&low.0);
    limbs[4..].copy_from_slice(&high.0);
    BigInt::new(limbs)
}
