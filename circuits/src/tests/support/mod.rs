//! Small worlds, real requests, and assertions about circuits.

pub(crate) mod broken;
pub(crate) mod draws;
pub(crate) mod parts;
pub(crate) mod root;
pub(crate) mod rows;
pub(crate) mod vectors;
pub(crate) mod world;

pub(crate) use crate::test_util::random;

use ark_bn254::Fr;
use ark_ff::{BigInteger, PrimeField};

use crate::field::power_of_two;
use crate::tree::LeafIndex;

/// Returns the value with one bit of its integer changed.
pub(crate) fn flipped(value: Fr, bit: usize) -> Fr {
    let (set, step) = (value.into_bigint().get_bit(bit), power_of_two(bit));
    value + if set { -step } else { step }
}

/// Returns the leaf index made of the low bits of a number.
pub(crate) fn low(index: Fr, bits: usize) -> LeafIndex {
    (index.into_bigint().0[0] & ((1 << bits) - 1)).into()
}
