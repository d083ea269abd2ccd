//! Curve points as a proving key stores them: raw Montgomery limbs, little
//! endian.
//!
//! A G1 point is x ‖ y (64 bytes), a G2 point x.c0 ‖ x.c1 ‖ y.c0 ‖ y.c1 (128
//! bytes); infinity is all zeros, as in arkworks' own representation and in
//! iden3's files. The prover reads no points of a key in use:
//! [`mapped`](super::mapped) views the mapped bytes as points.

use ark_bn254::{Fq, Fq2, Fr, G1Affine, G2Affine};
use ark_ec::{
    AffineRepr, CurveGroup,
    short_weierstrass::{Affine, Projective, SWCurveConfig},
};
use ark_ff::{BigInt, PrimeField};
use rand::{RngCore, rngs::OsRng};
use rayon::prelude::*;
use zkwhirl_msm::{Arithmetic, Curve, Scalars};

/// Bytes of a field element.
pub(crate) const FIELD_BYTES: usize = 32;
const G1_BYTES: usize = 64;
const G2_BYTES: usize = 128;

pub(crate) fn write_fr(value: &Fr, out: &mut Vec<u8>) {
    write_limbs(&value.0.0, out);
}

pub(crate) fn write_g1(points: &[G1Affine]) -> Vec<u8> {
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

pub(crate) fn write_g2(points: &[G2Affine]) -> Vec<u8> {
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

/// Bytes that encode no list of points. The message reads after the name of the
/// bytes: "its section a …".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PointError {
    /// The bytes are not a whole number of points.
    #[error("has {bytes} bytes, {each} each")]
    Length {
        /// The number of bytes.
        bytes: usize,
        /// The bytes of one point.
        each: usize,
    },
    /// A coordinate is not reduced, or a pair is not on the curve.
    #[error("has no curve point at place {place}")]
    NotOnCurve {
        /// The place of the point in the list.
        place: usize,
    },
}

/// Reads points that another program wrote in this encoding. Every coordinate
/// must be reduced and every pair on the curve. Points of G2 may be outside the
/// subgroup: [`check_subgroup`] looks for those.
pub(crate) fn read_g1(bytes: &[u8]) -> Result<Vec<G1Affine>, PointError> {
    read(bytes, |point: &[u8; G1_BYTES]| {
        Some(G1Affine::new_unchecked(
            read_fq(&point[..32])?,
            read_fq(&point[32..])?,
        ))
    })
}

/// As [`read_g1`], in G2.
pub(crate) fn read_g2(bytes: &[u8]) -> Result<Vec<G2Affine>, PointError> {
    read(bytes, |point: &[u8; G2_BYTES]| {
        let x = Fq2::new(read_fq(&point[..32])?, read_fq(&point[32..64])?);
        let y = Fq2::new(read_fq(&point[64..96])?, read_fq(&point[96..])?);
        Some(G2Affine::new_unchecked(x, y))
    })
}

fn read<C: SWCurveConfig, const BYTES: usize>(
    bytes: &[u8],
    point: impl Fn(&[u8; BYTES]) -> Option<Affine<C>> + Sync + Send,
) -> Result<Vec<Affine<C>>, PointError> {
    let (chunks, rest) = bytes.as_chunks::<BYTES>();
    if !rest.is_empty() {
        return Err(PointError::Length {
            bytes: bytes.len(),
            each: BYTES,
        });
    }
    let checked = chunks.par_iter().enumerate().map(|(place, chunk)| {
        let on_curve = |point: &Affine<C>| point.is_on_curve();
        let read = point(chunk).filter(on_curve);
        read.ok_or(PointError::NotOnCurve { place })
    });
    checked.collect()
}

fn read_fq(bytes: &[u8]) -> Option<Fq> {
    let (limbs, _) = bytes.as_chunks::<8>();
    let limbs: [[u8; 8]; 4] = limbs.try_into().ok()?;
    let number = BigInt(limbs.map(u64::from_le_bytes));
    (number < Fq::MODULUS).then(|| Fq::new_unchecked(number))
}

/// Whether all points are on the curve.
pub(crate) fn on_curve<C: SWCurveConfig>(points: &[Affine<C>]) -> bool {
    points
        .par_iter()
        .with_min_len(1024)
        .all(Affine::is_on_curve)
}

/// Whether points on the curve of G2 are all in the subgroup.
///
/// The order of the curve is the group's times a cofactor whose smallest prime
/// factor is 10,069. Random sums with 14-bit factors of points that are not all
/// in the subgroup are in it with a probability below 2^-13; ten of them, below
/// 2^-130. One exact check is a multiplication by a scalar for each point, a
/// hundred times as long. (G1 has no cofactor.)
pub(crate) fn check_subgroup(points: &[G2Affine]) -> bool {
    (0..10).all(|_| {
        let factors: Vec<Fr> = points
            .iter()
            .map(|_| Fr::from(OsRng.next_u32() & 0x3fff))
            .collect();
        let sum = sum(points, &factors).into_affine();
        sum.is_in_correct_subgroup_assuming_on_curve()
    })
}

/// Σ factor · point, as far as both lists go.
pub(crate) fn sum<C: Curve>(points: &[Affine<C>], factors: &[Fr]) -> Projective<C> {
    let len = points.len().min(factors.len());
    Arithmetic::detect().sum(&points[..len], &Scalars::new(&factors[..len]))
}

#[cfg(test)]
mod tests {
    use ark_ec::short_weierstrass::SWCurveConfig;
    use ark_std::UniformRand;

    use super::*;

    fn g1() -> Vec<G1Affine> {
        let rng = &mut ark_std::test_rng();
        let some = (0..5).map(|_| ark_bn254::G1Projective::rand(rng).into_affine());
        some.chain([G1Affine::zero()]).collect()
    }

    fn g2() -> Vec<G2Affine> {
        let rng = &mut ark_std::test_rng();
        let some = (0..50).map(|_| ark_bn254::G2Projective::rand(rng).into_affine());
        some.chain([G2Affine::zero()]).collect()
    }

    #[test]
    fn points_and_infinity_come_back_as_they_were() {
        assert_eq!(read_g1(&write_g1(&g1())), Ok(g1()));
        assert_eq!(read_g2(&write_g2(&g2())), Ok(g2()));
    }

    #[test]
    fn what_is_no_point_is_named_by_its_place() {
        let good = write_g1(&g1());
        let mut off = good.clone();
        off[3 * G1_BYTES] ^= 1;
        // x plus the modulus: the same coordinate, written in a second way.
        let mut unreduced = good.clone();
        let x = g1()[2].x.0;
        let mut sum = x;
        ark_ff::BigInteger::add_with_carry(&mut sum, &Fq::MODULUS);
        let mut limbs = Vec::new();
        write_limbs(&sum.0, &mut limbs);
        unreduced[2 * G1_BYTES..2 * G1_BYTES + 32].copy_from_slice(&limbs);
        let said = |bytes: &[u8]| read_g1(bytes).unwrap_err().to_string();
        assert_eq!(said(&off), "has no curve point at place 3");
        assert_eq!(said(&unreduced), "has no curve point at place 2");
        assert_eq!(said(&good[1..]), "has 383 bytes, 64 each");
    }

    #[test]
    fn one_point_outside_the_subgroup_is_found_among_many() {
        assert!(check_subgroup(&g2()));
        let outside = (1u64..)
            .filter_map(|x| {
                let x = Fq2::new(x.into(), 1.into());
                G2Affine::get_point_from_x_unchecked(x, true)
            })
            .find(|point| !point.is_in_correct_subgroup_assuming_on_curve());
        let mut points = g2();
        points[17] = outside.unwrap();
        assert!(points.iter().all(Affine::is_on_curve));
        assert!(!check_subgroup(&points));
        // Cleared of the cofactor it is a point of the group.
        points[17] = ark_bn254::g2::Config::clear_cofactor(&points[17]);
        assert!(check_subgroup(&points));
    }
}
