//! [`Adder`] in arkworks' own arithmetic, for any machine.

use ark_ec::{
    AffineRepr,
    short_weierstrass::{Affine, SWCurveConfig},
};
use ark_ff::{AdditiveGroup, Field, Zero, serial_batch_inversion_and_mul};

use crate::adder::{Adder, Entry, PointPair, SlotPair};

/// Additions whose divisors share an inversion.
const BATCH: usize = 1024;

/// Additions by arkworks' field arithmetic.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Portable;

impl<C: SWCurveConfig> Adder<C> for Portable {
    type Slot = Affine<C>;
    type Scratch = Vec<C::BaseField>;

    fn infinity() -> Affine<C> {
        Affine::zero()
    }

    fn is_infinity(slot: &Affine<C>) -> bool {
        slot.is_zero()
    }

    fn slot(point: &Affine<C>) -> Affine<C> {
        *point
    }

    fn point(slot: &Affine<C>) -> Affine<C> {
        *slot
    }

    fn add_points(
        self,
        divisors: &mut Vec<C::BaseField>,
        points: &[Affine<C>],
        pairs: &[PointPair],
        slots: &mut [Affine<C>],
    ) {
        let signed = |entry: Entry| match points[entry.index()] {
            point if entry.is_negative() => -point,
            point => point,
        };
        for pairs in pairs.chunks(BATCH) {
            let points = |pair: &PointPair| [signed(pair.left), signed(pair.right)];
            invert(divisors, pairs.iter().map(points));
            for (pair, inverse) in pairs.iter().zip(&*divisors) {
                slots[pair.sum as usize] = sum(points(pair), inverse);
            }
        }
    }

    fn add_slots(
        self,
        divisors: &mut Vec<C::BaseField>,
        slots: &mut [Affine<C>],
        pairs: &[SlotPair],
    ) {
        for pairs in pairs.chunks(BATCH) {
            let points = |slots: &[Affine<C>], pair: &SlotPair| {
                [slots[pair.left as usize], slots[pair.right as usize]]
            };
            invert(divisors, pairs.iter().map(|pair| points(slots, pair)));
            for (pair, inverse) in pairs.iter().zip(&*divisors) {
                slots[pair.left as usize] = sum(points(slots, pair), inverse);
            }
        }
    }
}

/// The inverses of all divisors; zero where nothing is divided.
fn invert<C: SWCurveConfig>(
    divisors: &mut Vec<C::BaseField>,
    pairs: impl Iterator<Item = [Affine<C>; 2]>,
) {
    divisors.clear();
    divisors.extend(pairs.map(|[left, right]| {
        if left.is_zero() || right.is_zero() {
            C::BaseField::zero()
        } else if left.x != right.x {
            right.x - left.x
        } else if left.y == right.y {
            left.y.double()
        } else {
            C::BaseField::zero()
        }
    }));
    serial_batch_inversion_and_mul(divisors, &C::BaseField::ONE);
}

fn sum<C: SWCurveConfig>([left, right]: [Affine<C>; 2], inverse: &C::BaseField) -> Affine<C> {
    if left.is_zero() {
        return right;
    }
    if right.is_zero() {
        return left;
    }
    let rise = if left.x != right.x {
        right.y - left.y
    } else if left.y == right.y {
        let square = left.x.square();
        square.double() + square
    } else {
        return Affine::zero();
    };
    let slope = rise * inverse;
    let x = slope.square() - left.x - right.x;
    let y = slope * (left.x - x) - left.y;
    Affine::new_unchecked(x, y)
}
