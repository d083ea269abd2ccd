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

/// Room for a batch.
#[derive(Debug)]
pub(crate) struct Room<F: Coordinate> {
    /// The points of each addition in a row: reading them from wherever they lie,
    /// without other work between, lets many reads wait at once.
    points: Vec<Points<F>>,
    steps: Vec<Step<F::Divisor>>,
}

/// What the first pass over an addition leaves for the second.
#[derive(Debug, Clone, Copy)]
struct Step<D> {
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
#[derive(Debug, Clone, Copy)]
struct Points<F> {
    x1: F,
    y1: F,
    x2: F,
    y2: F,
}

impl<F: Coordinate> Default for Room<F> {
    fn default() -> Self {
        Self {
            points: Vec::new(),
            steps: Vec::new(),
        }
    }
}

/// Does all `additions`.
#[inline(always)]
pub(super) fn add_all<F: Coordinate, A: Additions>(additions: &mut A, room: &mut Room<F>) {
    let Room { points, steps } = room;
    let count = additions.count();
    points.clear();
    points.extend((0..count).map(|index| Points::of(additions, index)));
    let mut exceptions = Vec::new();
    let mut products = [Residue::new(Fq::ONE.0.0); CHAINS];
    steps.clear();
    for (index, points) in points.iter().enumerate() {
        let mut run = points.x2.sub(points.x1);
        if run.is_zero() {
            let exception;
            (exception, run) = Exception::of(index, points);
            exceptions.push(exception);
        }
        let divisor = run.divisor();
        let before = products[index % CHAINS];
        products[index % CHAINS] = before.multiply(F::norm(divisor));
        steps.push(Step { divisor, before });
    }
    let inverse = invert(products[0].multiply(products[1]));
    let mut inverses = [inverse.multiply(products[1]), inverse.multiply(products[0])];
    for (index, (points, step)) in points.iter().zip(&*steps).enumerate().rev() {
        let inverse = &mut inverses[index % CHAINS];
        let inverse_norm = inverse.multiply(step.before);
        *inverse = inverse.multiply(F::norm(step.divisor));
        let exception = exceptions.pop_if(|exception| exception.index == index);
        let (x3, y3) = points.sum(F::inverse(step.divisor, inverse_norm), exception);
        x3.store(|part, limbs| *additions.sum(index, part) = limbs);
        y3.store(|part, limbs| *additions.sum(index, F::PARTS + part) = limbs);
    }
}

impl<F: Coordinate> Points<F> {
    #[inline(always)]
    fn of(additions: &impl Additions, index: usize) -> Self {
        let [negate_left, negate_right] = additions.negative(index);
        let left = |first| F::load(|part| additions.left(index, first + part));
        let right = |first| F::load(|part| additions.right(index, first + part));
        Self {
            x1: left(0),
            y1: left(F::PARTS).negate(negate_left),
            x2: right(0),
            y2: right(F::PARTS).negate(negate_right),
        }
    }

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
