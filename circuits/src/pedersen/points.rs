//! The constant and the 254 bit points of one input, shared by the native
//! tables and by the circuit.

use ark_ec::{AdditiveGroup, CurveGroup};
use ark_ff::Field;
use ark_grumpkin::{Affine, Fr as Scalar, Projective};

use super::generators::{PerGenerator, generator, uncomputed};
use crate::field::FIELD_BITS;

/// `H(v) = constant + Σ v_j·bits[j]` for one input.
#[derive(Debug)]
pub(crate) struct BitPoints {
    /// `H(0) = G − 15·A − S`.
    pub(crate) constant: Projective,
    /// What each set bit adds.
    pub(crate) bits: Vec<Projective>,
    /// Half of each bit point.
    pub(crate) halves: Vec<Projective>,
}

impl BitPoints {
    fn new(index: usize, position: usize) -> Self {
        let generator = generator(index, position);
        let skew = Projective::from(generator.skew);
        let aux = Projective::from(generator.aux);
        let main = Projective::from(generator.main);
        let half = Scalar::from(2u64)
            .inverse()
            .expect("the group order is odd");
        // Bit 0 removes the skew point, bits 1-4 step the aux point by two and
        // the rest double up from the main point.
        let mut halves = vec![skew * half];
        halves.extend(std::iter::successors(Some(aux), |p| Some(p.double())).take(4));
        let rest = FIELD_BITS - halves.len();
        halves.extend(std::iter::successors(Some(main), |p| Some(p.double())).take(rest));
        let bits = halves.iter().map(AdditiveGroup::double).collect();
        Self {
            constant: main - aux * Scalar::from(15u64) - skew,
            bits,
            halves,
        }
    }
}

/// The points of input `position` under a hash index, computed once.
pub(crate) fn bit_points(index: usize, position: usize) -> &'static BitPoints {
    static CACHE: PerGenerator<BitPoints> = uncomputed();
    CACHE[index][position].get_or_init(|| BitPoints::new(index, position))
}

/// All sums of subsets of the points, indexed by bit mask, plus a base.
pub(crate) fn subset_sums(base: Projective, points: &[Projective]) -> Vec<Affine> {
    let mut sums = vec![base];
    for point in points {
        let with: Vec<_> = sums.iter().map(|sum| *sum + point).collect();
        sums.extend(with);
    }
    Projective::normalize_batch(&sums)
}
