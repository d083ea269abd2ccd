//! The stream of generators, which are points hashed to the curve from a counter;
//! and the points of single bits, which the native tables and the circuit share.

use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ec::{AdditiveGroup, CurveGroup};
use ark_ff::{BigInteger, Field, PrimeField};
use ark_grumpkin::{Affine, Fr as Scalar, Projective};
use sha3::{Digest, Keccak256};

use crate::field::FIELD_BITS;

/// Number of hash indexes that have generators.
pub(super) const INDEXES: usize = 17;
/// Number of generators under index 0, the same in every build of the original.
const FIRST_POSITIONS: usize = 32;
/// Number of generators under each other index.
const POSITIONS: usize = 8;

/// The counter value before the first point of each hash index, so that late
/// generators need not walk the whole stream. A test checks the values.
const SEED_BEFORE: [u64; INDEXES] = [
    0, 12320, 12365, 12415, 12459, 12515, 12566, 12619, 12664, 12722, 12767, 12805, 12852, 12904,
    12949, 13005, 13055,
];

/// A value for each generator, computed once.
pub(super) type PerGenerator<T> = [[OnceLock<T>; FIRST_POSITIONS]; INDEXES];

/// Returns the table without any value.
pub(super) const fn uncomputed<T>() -> PerGenerator<T> {
    [const { [const { OnceLock::new() }; FIRST_POSITIONS] }; INDEXES]
}

/// The three points that hash one input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PedersenGenerator {
    /// The point for the bits from bit 5 up.
    pub(crate) main: Affine,
    /// The point for bits 1 to 4.
    pub(crate) aux: Affine,
    /// The point for bit 0.
    pub(crate) skew: Affine,
}

/// Returns the generator of input `position` under a hash index.
///
/// # Panics
/// If the protocol has no such generator (0 has 32, 1 to 16 have 8 each).
pub(crate) fn generator(index: usize, position: usize) -> PedersenGenerator {
    static BLOCKS: [OnceLock<Vec<PedersenGenerator>>; INDEXES] =
        [const { OnceLock::new() }; INDEXES];
    BLOCKS[index].get_or_init(|| block(index))[position]
}

fn block(index: usize) -> Vec<PedersenGenerator> {
    let positions = if index == 0 {
        FIRST_POSITIONS
    } else {
        POSITIONS
    };
    let mut points = (SEED_BEFORE[index] + 1..).filter_map(point);
    let mut next = || points.next().expect("the stream of points has no end");
    (0..positions)
        .map(|_| PedersenGenerator {
            main: next(),
            aux: next(),
            skew: next(),
        })
        .collect()
}

/// Returns the point of a seed; `None` if no point has its x-coordinate.
fn point(seed: u64) -> Option<Affine> {
    let mut message = [0u8; 32];
    message[..8].copy_from_slice(&seed.to_be_bytes());
    let mut digest: [u8; 32] = Keccak256::digest(message).into();
    let odd = digest[31] >> 7 == 1;
    digest[31] &= 0x7f;
    let x = Fr::from_le_bytes_mod_order(&digest);
    let y = (x.square() * x - Fr::from(17u64)).sqrt()?;
    let same = y.into_bigint().is_odd() == odd;
    Some(Affine::new_unchecked(x, if same { y } else { -y }))
}

/// The points of one input's hash: `H(v) = constant + Σ v_j·bits[j]`.
#[derive(Debug)]
pub(crate) struct BitPoints {
    /// `H(0) = G − 15·A − S`.
    pub(crate) constant: Projective,
    /// The point that each set bit adds.
    pub(crate) bits: Vec<Projective>,
    /// Half of each point in `bits`.
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
        // Bit 0 removes the skew point, bits 1-4 add multiples of twice the aux
        // point, and the other bits add doublings of the main point.
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

/// Returns the points of input `position` under a hash index, computed once.
pub(crate) fn bit_points(index: usize, position: usize) -> &'static BitPoints {
    static CACHE: PerGenerator<BitPoints> = uncomputed();
    CACHE[index][position].get_or_init(|| BitPoints::new(index, position))
}

/// Returns `base` plus the sum of each subset of the points, indexed by bit mask.
pub(crate) fn subset_sums(base: Projective, points: &[Projective]) -> Vec<Affine> {
    let mut sums = vec![base];
    for point in points {
        let with: Vec<_> = sums.iter().map(|sum| *sum + point).collect();
        sums.extend(with);
    }
    Projective::normalize_batch(&sums)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_blocks_start_where_the_stream_does() {
        let mut points = 0;
        let mut seed = 0;
        let mut found = vec![0];
        for index in 1..INDEXES {
            let wanted = 3 * (2048 + POSITIONS * (index - 1));
            while points < wanted {
                seed += 1;
                points += usize::from(point(seed).is_some());
            }
            found.push(seed);
        }
        assert_eq!(found, SEED_BEFORE);
    }
}
