//! Views of a mapped key file's parts as points, field elements and indices,
//! without a copy.
//!
//! The bytes equal arkworks' values in the memory of a little-endian machine: field
//! elements in Montgomery form, points as their coordinates, infinity as zeros.
//! arkworks does not guarantee this layout, so its version is pinned, sizes and
//! offsets are checked at compile time, and [`layout_holds`] compares known values
//! before the first key is used.

#![expect(
    unsafe_code,
    reason = "the only place where bytes of a mapped key are viewed as other types"
)]

use std::{marker::PhantomData, mem::offset_of, ops::Deref, slice};

use ark_bn254::{Fq, Fq2, Fr, G1Affine, G2Affine, g1, g2};
use ark_ec::{AffineRepr, short_weierstrass::Affine};
use ark_ff::BigInt;
use zkwhirl_keystore::MappedBytes;

use super::points::{write_fr, write_points};

/// Types for which any bytes of the right length and alignment are a value.
///
/// # Safety
/// The type must have no padding, no bytes that are not allowed, and no
/// interior mutability.
pub(crate) unsafe trait Raw: Copy + Send + Sync {}

// SAFETY: an integer.
unsafe impl Raw for u32 {}
// SAFETY: four integers (checked below). A number above the modulus only makes
// results wrong; keys hold no such number.
unsafe impl Raw for Fr {}
// SAFETY: two field elements of four integers each, and a flag without a size
// (checked below). A pair that is not on the curve only makes results wrong.
unsafe impl Raw for Affine<g1::Config> {}
// SAFETY: as for G1, with two field elements in each coordinate.
unsafe impl Raw for Affine<g2::Config> {}

const _: () = {
    assert!(cfg!(target_endian = "little"));
    assert!(size_of::<BigInt<4>>() == 32 && offset_of!(BigInt<4>, 0) == 0);
    assert!(size_of::<Fr>() == 32 && align_of::<Fr>() == 8 && offset_of!(Fr, 0) == 0);
    assert!(size_of::<Fq>() == 32 && align_of::<Fq>() == 8 && offset_of!(Fq, 0) == 0);
    assert!(size_of::<Fq2>() == 64 && offset_of!(Fq2, c0) == 0 && offset_of!(Fq2, c1) == 32);
    // The sizes also show that points have no flag for infinity.
    assert!(size_of::<G1Affine>() == 64 && align_of::<G1Affine>() == 8);
    assert!(offset_of!(G1Affine, x) == 0 && offset_of!(G1Affine, y) == 32);
    assert!(size_of::<G2Affine>() == 128 && align_of::<G2Affine>() == 8);
    assert!(offset_of!(G2Affine, x) == 0 && offset_of!(G2Affine, y) == 64);
};

/// A list of values in a mapped key.
#[derive(Debug, Clone)]
pub(crate) struct Mapped<T> {
    /// The bytes of the values: aligned for `T`, and a whole number of values.
    bytes: MappedBytes,
    values: PhantomData<T>,
}

impl<T: Raw> Mapped<T> {
    /// Views `bytes` as values; `None` if the bytes are not aligned, or not a whole
    /// number of values.
    pub(crate) fn new(bytes: MappedBytes) -> Option<Self> {
        let values = PhantomData;
        cast::<T>(&bytes)?;
        Some(Self { bytes, values })
    }
}

impl<T: Raw> Deref for Mapped<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        cast(&self.bytes).expect("the same bytes were cast in `new`, and do not move")
    }
}

fn cast<T: Raw>(bytes: &[u8]) -> Option<&[T]> {
    let start = bytes.as_ptr().cast::<T>();
    if !bytes.len().is_multiple_of(size_of::<T>()) || !start.is_aligned() {
        return None;
    }
    let count = bytes.len() / size_of::<T>();
    // SAFETY: `start` is aligned, `count` values of T are the whole of `bytes`,
    // which stay borrowed and unchanged, and any bytes are values of T.
    Some(unsafe { slice::from_raw_parts(start, count) })
}

/// Whether this build views the stored bytes of known values as the same values.
pub(crate) fn layout_holds() -> bool {
    let (g1, g2) = (G1Affine::generator(), G2Affine::generator());
    let g1 = [g1, G1Affine::zero(), -g1];
    let g2 = [g2, G2Affine::zero(), -g2];
    let fr = [Fr::from(1), Fr::from(0), -Fr::from(2026)];
    let mut bytes = Vec::new();
    for value in &fr {
        write_fr(value, &mut bytes);
    }
    reads_as(&bytes, &fr) && reads_as(&write_points(&g1), &g1) && reads_as(&write_points(&g2), &g2)
}

fn reads_as<T: Raw + PartialEq>(bytes: &[u8], values: &[T]) -> bool {
    let mut room = vec![0; bytes.len() + align_of::<T>()];
    let start = room.as_ptr().align_offset(align_of::<T>());
    let Some(aligned) = room.get_mut(start..start + bytes.len()) else {
        return false;
    };
    aligned.copy_from_slice(bytes);
    cast::<T>(aligned) == Some(values)
}

#[cfg(test)]
mod tests {
    use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
    use ark_std::UniformRand;

    use super::{super::points::tests::some_points, *};

    #[test]
    fn the_layout_is_that_of_this_release_of_arkworks() {
        assert!(layout_holds());
    }

    #[test]
    fn values_are_those_that_arkworks_reads_from_its_own_encoding() {
        let (g1, g2) = (some_points::<g1::Config>(50), some_points::<g2::Config>(50));
        let rng = &mut ark_std::test_rng();
        let fr: Vec<Fr> = (0..50).map(|_| Fr::rand(rng)).collect();
        let mut raw = Vec::new();
        fr.iter().for_each(|value| write_fr(value, &mut raw));
        assert!(reads_as(&write_points(&g1), &through_arkworks(&g1)));
        assert!(reads_as(&write_points(&g2), &through_arkworks(&g2)));
        assert!(reads_as(&raw, &through_arkworks(&fr)));
        assert!(!reads_as(&write_points(&g1[1..]), &g1[..50]));
    }

    fn through_arkworks<T: CanonicalSerialize + CanonicalDeserialize>(values: &[T]) -> Vec<T> {
        let mut bytes = Vec::new();
        values
            .iter()
            .for_each(|value| value.serialize_uncompressed(&mut bytes).unwrap());
        let mut rest = &bytes[..];
        let read = |_| T::deserialize_uncompressed(&mut rest).unwrap();
        (0..values.len()).map(read).collect()
    }

    #[test]
    fn what_is_not_whole_or_not_aligned_is_refused() {
        let room = [0u8; 256];
        let aligned = &room[room.as_ptr().align_offset(8)..];
        assert_eq!(cast::<G1Affine>(&aligned[..128]).map(<[_]>::len), Some(2));
        assert!(cast::<G1Affine>(&aligned[..127]).is_none());
        assert!(cast::<Fr>(&aligned[8..72]).is_some());
        assert!(cast::<Fr>(&aligned[4..68]).is_none());
        assert!(cast::<u32>(&aligned[1..5]).is_none());
    }
}
