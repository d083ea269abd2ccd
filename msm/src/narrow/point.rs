//! Affine additions with one inversion for a batch.

use ark_bn254::Fq;
use ark_ff::Field;

use super::{coordinate::Coordinate, residue::Residue};
use crate::{
    adder::Additions,
    modulus::{Base, canonical},
};

/// Products that do not wait for one another.
const CHAINS: usize = 2;

/// What the first pass over an addition leaves for the second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step<D> {
    divisor: D,
    /// The product of the norms of all divisors of its chain before this one.
    before: Residue<Base>,
}

/// Points of one x.
#[derive(Debug, Clone, Copy)]
struct Exception {
    index: usize,
    /// Whether they are equal: else they are opposite.
    equal: bool,
}

/// The two points of an addition.
struct Points<F> {
    x1: F,
    y1: F,
    x2: F,
    y2: F,
}

/// Does all `additions`.
#[inline(always)]
pub(super) fn add_all<F: Coordinate, A: Additions>(
    additions: &mut A,
    steps: &mut Vec<Step<F::Divisor>>,
) {
    let count = additions.count();
    let mut exceptions = Vec::new();
    let mut products = [Residue::new(Fq::ONE.0.0); CHAINS];
    steps.clear();
    for first in (0..count).step_by(CHAINS) {
        for chain in 0..CHAINS.min(count - first) {
            let index = first + chain;
            let (x1, x2) = (left::<F>(additions, index, 0), right::<F>(additions, index, 0));
            let mut run = x2.sub(x1);
            if run.is_zero() {
                let exception;
                (exception, run) = Exception::of(index, &points::<F>(additions, index));
                exceptions.push(exception);
            }
            let (divisor, before) = (run.divisor(), products[chain]);
            products[chain] = before.multiply(F::norm(divisor));
            steps.push(Step { divisor, before });
        }
    }
    let inverse = invert(products[0].multiply(products[1]));
    let mut inverses = [inverse.multiply(products[1]), inverse.multiply(products[0])];
    for first in (0..count).step_by(CHAINS).rev() {
        for chain in (0..CHAINS.min(count - first)).rev() {
            let index = first + chain;
            let Step { divisor, before } = steps[index];
            let inverse = F::inverse(divisor, inverses[chain].multiply(before));
            inverses[chain] = inverses[chain].multiply(F::norm(divisor));
            let points = points::<F>(additions, index);
            let exception = exceptions.pop_if(|exception| exception.index == index);
            let (x3, y3) = points.sum(inverse, exception);
            x3.store(|part, limbs| *additions.sum(index, part) = limbs);
            y3.store(|part, limbs| *additions.sum(index, F::PARTS + part) = limbs);
        }
    }
}

#[inline(always)]
fn left<F: Coordinate>(additions: &impl Additions, index: usize, first: usize) -> F {
    F::load(|part| additions.left(index, first + part))
}

#[inline(always)]
fn right<F: Coordinate>(additions: &impl Additions, index: usize, first: usize) -> F {
    F::load(|part| additions.right(index, first + part))
}

#[inline(always)]
fn points<F: Coordinate>(additions: &impl Additions, index: usize) -> Points<F> {
    let [negate_left, negate_right] = additions.negative(index);
    Points {
        x1: left(additions, index, 0),
        y1: left::<F>(additions, index, F::PARTS).negate(negate_left),
        x2: right(additions, index, 0),
        y2: right::<F>(additions, index, F::PARTS).negate(negate_right),
    }
}

impl<F: Coordinate> Points<F> {
    /// From the inverse of the slope's divisor.
    #[inline(always)]
    fn sum(&self, inverse: F, exception: Option<Exception>) -> (F, F) {
        let Self { x1, y1, x2, y2 } = *self;
        let rise = match exception {
            None => y2.sub(y1),
            Some(Exception { equal: false, .. }) => return (F::ZERO, F::ZERO),
            Some(Exception { equal: true, .. }) => {
                let square = x1.square();
                square.add(square).add(square)
            }
        };
        let slope = rise.multiply(inverse);
        let x3 = slope.square().sub(x1).sub(x2);
        (x3, slope.multiply(x1.sub(x3)).sub(y1))
    }
}

impl Exception {
    /// The exception and the divisor: of a tangent, or any that is not zero.
    #[cold]
    fn of<F: Coordinate>(index: usize, points: &Points<F>) -> (Self, F) {
        let equal = points.y1.sub(points.y2).is_zero();
        (Self { index, equal }, points.y1.add(points.y1))
    }
}

/// Zero of zero, which no point on the curve leads to.
#[inline(never)]
fn invert(number: Residue<Base>) -> Residue<Base> {
    let number: Fq = canonical(&number.limbs());
    Residue::new(number.inverse().unwrap_or_default().0.0)
}
