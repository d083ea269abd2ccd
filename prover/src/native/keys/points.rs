//! The encoding of curve points in proving keys: raw Montgomery limbs, little
//! endian.
//!
//! A G1 point is x ‖ y (64 bytes), a G2 point x.c0 ‖ x.c1 ‖ y.c0 ‖ y.c1 (128
//! bytes); infinity is all zeros, as in arkworks' own representation and in
//! iden3's files. The prover does not decode the points of a key:
//! [`mapped`](super::mapped) views the mapped bytes as points.

use ark_bn254::{Fq, Fr, G2Affine};
use ark_ec::{
    CurveGroup,
    short_weierstrass::{Affine, Projective, SWCurveConfig},
};
use ark_ff::{BigInt, Field, PrimeField};
use rand::{RngCore, rngs::OsRng};
use rayon::prelude::*;
use zkwhirl_msm::{Arithmetic, Curve, Scalars};

/// The length of a field element in bytes.
pub(crate) const FIELD_BYTES: usize = 32;

pub(crate) fn write_fr(value: &Fr, out: &mut Vec<u8>) {
    write_limbs(&value.0.0, out);
}

/// Encodes points of G1 or G2.
pub(crate) fn write_points<C>(points: &[Affine<C>]) -> Vec<u8>
where
    C: SWCurveConfig<BaseField: Field<BasePrimeField = Fq>>,
{
    let mut out = Vec::with_capacity(points.len() * point_bytes::<C>());
    // Infinity has the coordinates 0 in arkworks, and no flag on these curves.
    for coordinate in points.iter().flat_map(|point| [point.x, point.y]) {
        for part in coordinate.to_base_prime_field_elements() {
            write_limbs(&part.0.0, &mut out);
        }
    }
    out
}

/// The length of a point in bytes: 64 in G1, 128 in G2.
pub(crate) fn point_bytes<C: SWCurveConfig>() -> usize {
    2 * FIELD_BYTES * C::BaseField::extension_degree() as usize
}

fn write_limbs(limbs: &[u64; 4], out: &mut Vec<u8>) {
    for limb in limbs {
        out.extend(limb.to_le_bytes());
    }
}

/// Why bytes are not a list of points. The message is the predicate of the name of
/// the bytes: "its section a …".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PointError {
    /// The bytes are not a whole number of points.
    #[error("has {bytes} bytes, a point has {each}")]
    Length {
        /// The length of all bytes.
        bytes: usize,
        /// The length of one point in bytes.
        each: usize,
    },
    /// A coordinate is not reduced, or a pair is not on the curve.
    #[error("has no curve point at place {place}")]
    NotOnCurve {
        /// The place of the point in the list.
        place: usize,
    },
}

/// Reads points of G1 or G2 that another program wrote in this encoding. Every
/// coordinate must be reduced and every pair on the curve. Points of G2 may be
/// outside the subgroup: use [`check_subgroup`].
pub(crate) fn read_points<C>(bytes: &[u8]) -> Result<Vec<Affine<C>>, PointError>
where
    C: SWCurveConfig<BaseField: Field<BasePrimeField = Fq>>,
{
    let each = point_bytes::<C>();
    if !bytes.len().is_multiple_of(each) {
        let bytes = bytes.len();
        return Err(PointError::Length { bytes, each });
    }
    let chunks = bytes.par_chunks_exact(each).enumerate();
    let checked = chunks.map(|(place, chunk)| {
        let (x, y) = chunk.split_at(each / 2);
        let point = coordinate(x).zip(coordinate(y));
        let point = point.map(|(x, y)| Affine::new_unchecked(x, y));
        let on_curve = point.filter(Affine::is_on_curve);
        on_curve.ok_or(PointError::NotOnCurve { place })
    });
    checked.collect()
}

/// Reads a coordinate; `None` if a part of the coordinate is not reduced.
fn coordinate<F: Field<BasePrimeField = Fq>>(bytes: &[u8]) -> Option<F> {
    let parts = bytes.chunks_exact(FIELD_BYTES);
    F::from_base_prime_field_elems(parts.map_while(read_fq))
}

fn read_fq(bytes: &[u8]) -> Option<Fq> {
    let (limbs, _) = bytes.as_chunks::<8>();
    let limbs: [[u8; 8]; 4] = limbs.try_into().ok()?;
    let number = BigInt(limbs.map(u64::from_le_bytes));
    (number < Fq::MODULUS).then(|| Fq::new_unchecked(number))
}

pub(crate) fn on_curve<C: SWCurveConfig>(points: &[Affine<C>]) -> bool {
    points
        .par_iter()
        .with_min_len(1024)
        .all(Affine::is_on_curve)
}

/// Whether all `points`, which must be on the curve of G2, are in the subgroup.
///
/// The curve's order is the subgroup's order times a cofactor whose smallest prime
/// factor is 10,069. If a point is outside the subgroup, a random sum with 14-bit
/// factors is in the subgroup with a probability below 2^-13, and ten sums are with a
/// probability below 2^-130. An exact check would multiply each point by a scalar and
/// take a hundred times as long. (G1 has no cofactor.)
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
pub(super) mod tests {
    use ark_bn254::{Fq2, g1, g2};
    use ark_ec::AffineRepr;
    use ark_std::UniformRand;

    use super::*;

    /// Random points, then infinity.
    pub(crate) fn some_points<C: SWCurveConfig>(count: usize) -> Vec<Affine<C>> {
        let rng = &mut ark_std::test_rng();
        let some = (0..count).map(|_| Affine::rand(rng));
        some.chain([Affine::zero()]).collect()
    }

    #[test]
    fn points_and_infinity_come_back_as_they_were() {
        let (some_g1, some_g2) = (some_points::<g1::Config>(5), some_points::<g2::Config>(50));
        assert_eq!(read_points(&write_points(&some_g1)), Ok(some_g1));
        assert_eq!(read_points(&write_points(&some_g2)), Ok(some_g2));
    }

    #[test]
    fn what_is_no_point_is_named_by_its_place() {
        let points = some_points::<g1::Config>(5);
        let good = write_points(&points);
        let mut off = good.clone();
        off[3 * 64] ^= 1;
        // x plus the modulus: the same coordinate, written in a second way.
        let mut unreduced = good.clone();
        let mut sum = points[2].x.0;
        ark_ff::BigInteger::add_with_carry(&mut sum, &Fq::MODULUS);
        let mut limbs = Vec::new();
        write_limbs(&sum.0, &mut limbs);
        unreduced[2 * 64..][..32].copy_from_slice(&limbs);
        let said = |bytes: &[u8]| read_points::<g1::Config>(bytes).unwrap_err().to_string();
        assert_eq!(said(&off), "has no curve point at place 3");
        assert_eq!(said(&unreduced), "has no curve point at place 2");
        assert_eq!(said(&good[1..]), "has 383 bytes, a point has 64");
    }

    #[test]
    fn one_point_outside_the_subgroup_is_found_among_many() {
        let mut points = some_points::<g2::Config>(50);
        assert!(check_subgroup(&points));
        let outside = (1u64..)
            .filter_map(|x| {
                let x = Fq2::new(x.into(), 1.into());
                G2Affine::get_point_from_x_unchecked(x, true)
            })
            .find(|point| !point.is_in_correct_subgroup_assuming_on_curve());
        points[17] = outside.unwrap();
        assert!(points.iter().all(Affine::is_on_curve));
        assert!(!check_subgroup(&points));
        // Cleared of the cofactor it is a point of the group.
        points[17] = g2::Config::clear_cofactor(&points[17]);
        assert!(check_subgroup(&points));
    }
}
