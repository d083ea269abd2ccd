//! Curve points as a proving key stores them: raw Montgomery limbs, little
//! endian.
//!
//! A G1 point is x ‖ y (64 bytes), a G2 point x.c0 ‖ x.c1 ‖ y.c0 ‖ y.c1 (128
//! bytes); infinity is all zeros, as in arkworks' own representation and in
//! iden3's files. Points of a key in use are not read: [`mapped`](super::mapped)
//! sees them where they lie.

use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ec::AffineRepr;

/// Bytes of a field element.
pub(super) const FIELD_BYTES: usize = 32;
const G1_BYTES: usize = 64;
const G2_BYTES: usize = 128;

pub(super) fn write_fr(value: &Fr, out: &mut Vec<u8>) {
    write_limbs(&value.0.0, out);
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

fn write_limbs(limbs: &[u64; 4], out: &mut Vec<u8>) {
    for limb in limbs {
        out.extend(limb.to_le_bytes());
    }
}
