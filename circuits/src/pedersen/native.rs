//! The native Pedersen hash: one table lookup and one addition per window.

use ark_bn254::Fr;
use ark_ec::CurveGroup;
use ark_ff::{AdditiveGroup, PrimeField};
use ark_grumpkin::{Affine, Fr as Scalar, Projective};

use super::generators::{PerGenerator, bit_points, generator, subset_sums, uncomputed};
use crate::field::FIELD_BITS;

/// Bits per window of the two generators that hash Merkle nodes: 1 MB of tables
/// for 64 additions per node.
const NODE_WINDOW: usize = 8;
/// Bits per window of all other generators.
const NOTE_WINDOW: usize = 4;

/// The sums of each window of one generator; the first window includes the constant.
struct WindowTable {
    window: usize,
    rows: Vec<Vec<Affine>>,
}

impl WindowTable {
    fn new(index: usize, position: usize) -> Self {
        let is_node = index == 0 && position < 2;
        let window = if is_node { NODE_WINDOW } else { NOTE_WINDOW };
        let points = bit_points(index, position);
        let bases = std::iter::once(points.constant).chain(std::iter::repeat(Projective::ZERO));
        let rows = points.bits.chunks(window).zip(bases);
        Self {
            window,
            rows: rows.map(|(bits, base)| subset_sums(base, bits)).collect(),
        }
    }

    fn add(&self, sum: &mut Projective, value: &Fr) {
        let limbs = value.into_bigint().0;
        let mask = (1 << self.window) - 1;
        for (row, offset) in self.rows.iter().zip((0..FIELD_BITS).step_by(self.window)) {
            // The window size divides 64, so no window spans two limbs.
            let digit = (limbs[offset / 64] >> (offset % 64)) as usize & mask;
            if digit != 0 || offset == 0 {
                *sum += row[digit];
            }
        }
    }
}

fn table(index: usize, position: usize) -> &'static WindowTable {
    static CACHE: PerGenerator<WindowTable> = uncomputed();
    CACHE[index][position].get_or_init(|| WindowTable::new(index, position))
}

/// Returns the commitment point of some values under a hash index; the hash is
/// the point's x-coordinate.
///
/// # Panics
/// If there are more values than the index has generators.
pub(crate) fn commit(index: usize, values: &[Fr]) -> Affine {
    let mut sum = Projective::ZERO;
    for (position, value) in values.iter().enumerate() {
        table(index, position).add(&mut sum, value);
    }
    sum.into_affine()
}

/// Returns the private key times the nullifier key's generator: an exact
/// multiple of the main point, without aux and skew.
pub(crate) fn nullifier_key(private_key: Fr) -> Affine {
    // A field element is below the group order, so the conversion does not wrap.
    let scalar = Scalar::from_bigint(private_key.into_bigint())
        .expect("the scalar field is smaller than the group order");
    (generator(8, 0).main * scalar).into_affine()
}
