//! Curve points as a proving key stores them: raw Montgomery limbs, little
//! endian, so that reading a key is copying it.
//!
//! A G1 point is x ‖ y (64 bytes), a G2 point x.c0 ‖ x.c1 ‖ y.c0 ‖ y.c1 (128
//! bytes); infinity is all zeros, as in arkworks' own representation. The
//! bytes were checked against the key's digest; points are only checked to be
//! on the curve when a key is made.

use ark_bn254::{Fq, Fq2, Fr, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::BigInt;
use rayon::prelude::*;

/// Bytes of a field element.
pub(super) const FIELD_BYTES: usize = 32;
const G1_BYTES: usize = 64;
const G2_BYTES: usize = 128;

pub(super) fn write_fr(value: &Fr, out: &mut Vec<u8>) {
    write_limbs(&value.0.0, out);
}

/// `bytes` must be [`FIELD_BYTES`] long.
pub(super) fn read_fr(bytes: &[u8]) -> Fr {
    Fr::new_unchecked(BigInt(read_limbs(bytes)))
}

pub(super) fn write_g1(points: &[G1Affine]) -> Vec<u8> {
    let mut out = Vec::with_capacity(points.len() * G1_BYTES);
    for point in points {
        match point.xy() {
            Some((x, y)) => {
                write_limbs(&x.0.0, &mut out);
                write_limbs(&y.0.0, &mut out);
            }
            None => out.extend([0; G1_BYTES]),
        }
    }
    out
}

pub(super) fn read_g1(bytes: &[u8]) -> Option<Vec<G1Affine>> {
    read(bytes, G1_BYTES, |point| {
        G1Affine::new_unchecked(read_fq(&point[..32]), read_fq(&point[32..]))
    })
}

pub(super) fn write_g2(points: &[G2Affine]) -> Vec<u8> {
    let mut out = Vec::with_capacity(points.len() * G2_BYTES);
    for point in points {
        match point.xy() {
            Some((x, y)) => {
                for part in [x.c0, x.c1, y.c0, y.c1] {
                    write_limbs(&part.0.0, &mut out);
                }
            }
            None => out.extend([0; G2_BYTES]),
        }
    }
    out
}

pub(super) fn read_g2(bytes: &[u8]) -> Option<Vec<G2Affine>> {
    read(bytes, G2_BYTES, |point| {
        let x = Fq2::new(read_fq(&point[..32]), read_fq(&point[32..64]));
        let y = Fq2::new(read_fq(&point[64..96]), read_fq(&point[96..]));
        G2Affine::new_unchecked(x, y)
    })
}

/// All points of `bytes`, or `None` when they are not a whole number.
fn read<T: Send>(
    bytes: &[u8],
    each: usize,
    point: impl Fn(&[u8]) -> T + Sync + Send,
) -> Option<Vec<T>> {
    bytes
        .len()
        .is_multiple_of(each)
        .then(|| bytes.par_chunks_exact(each).map(point).collect())
}

fn read_fq(bytes: &[u8]) -> Fq {
    Fq::new_unchecked(BigInt(read_limbs(bytes)))
}

fn write_limbs(limbs: &[u64; 4], out: &mut Vec<u8>) {
    for limb in limbs {
        out.extend(limb.to_le_bytes());
    }
}

fn read_limbs(bytes: &[u8]) -> [u64; 4] {
    let mut limbs = [0; 4];
    for (limb, bytes) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
        *limb = u64::from_le_bytes(bytes.try_into().expect("chunks of eight bytes"));
    }
    limbs
}

#[cfg(test)]
mod tests {
    use ark_ec::CurveGroup;
    use ark_std::UniformRand;

    use super::*;

    #[test]
    fn points_and_infinity_come_back_as_they_were() {
        let rng = &mut ark_std::test_rng();
        let g1: Vec<G1Affine> = (0..5)
            .map(|_| ark_bn254::G1Projective::rand(rng).into_affine())
            .chain([G1Affine::zero()])
            .collect();
        let g2: Vec<G2Affine> = (0..5)
            .map(|_| ark_bn254::G2Projective::rand(rng).into_affine())
            .chain([G2Affine::zero()])
            .collect();
        assert_eq!(read_g1(&write_g1(&g1)), Some(g1));
        assert_eq!(read_g2(&write_g2(&g2)), Some(g2));
        assert_eq!(read_g1(&[0; 65]), None);
    }
}
