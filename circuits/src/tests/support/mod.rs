//! Small worlds, real requests, and what tests demand of rows.

pub(crate) mod broken;
pub(crate) mod draws;
pub(crate) mod root;
pub(crate) mod rows;
pub(crate) mod vectors;
pub(crate) mod world;

pub(crate) use crate::test_util::random;

use ark_bn254::Fr;
use ark_ff::PrimeField;

use crate::tree::LeafIndex;

/// The place that the low bits of an index name.
pub(crate) fn low(index: Fr, bits: usize) -> LeafIndex {
    (index.into_bigint().0[0] & ((1 << bits) - 1)).into()
}
