//! Affine additions, sixteen at once, with one inversion for a batch.
//!
//! Coordinates are stored as arkworks stores them, x·2^256, while products
//! divide by 2^260: stored numbers stand for X = x/16 and Y = y/16. The slope of
//! a chord, (Y₂ − Y₁) / (X₂ − X₁), is that of the points themselves, and the sum
//! in these coordinates is
//!
//! X₃ = (slope/4)² − X₁ − X₂,  Y₃ = (slope/4) · 4(X₁ − X₃) − Y₁.
//!
//! The inverse of the batch is taken over four, so all slopes are, and the 16
//! costs nothing else. A tangent's slope is 3x² / 2y = 48X² / 2Y.

use super::{
    coordinate::{Coordinate, Rows},
    fq::Fq,
    lanes::{LANES, Lanes, Mask},
};
use crate::{adder::Additions, modulus::Limbs};

/// Words that points are asked for ahead of their use.
const AHEAD: usize = 3;

/// Lanes that are no chord between two points. In all others, all are zero.
#[derive(Clone, Copy, Default)]
struct Exceptions {
    /// Equal points: the tangent.
    tangent: Mask,
    /// Opposite points: the sum is infinity.
    opposite: Mask,
}

/// What the first pass over a word of additions leaves for the second.
#[derive(Clone, Copy)]
pub(crate) struct Step<L: Lanes, F: Coordinate<L>> {
    divisor: F::Divisor,
    /// The product of the norms of all divisors before this one.
    before: Fq<L>,
    exceptions: Exceptions,
}

/// The two points of each lane.
#[derive(Clone, Copy)]
struct Points<F> {
    x1: F,
    y1: F,
    x2: F,
    y2: F,
}

/// Does all `additions`.
#[inline(always)]
pub(crate) fn add_all<L: Lanes, F: Coordinate<L>, A: Additions>(
    lanes: L,
    additions: &mut A,
    steps: &mut Vec<Step<L, F>>,
) {
    let words = additions.count().div_ceil(LANES);
    let mut product = Fq::number(lanes, 1);
    steps.clear();
    for word in 0..words {
        if A::SCATTERED && word + AHEAD < words {
            prefetch::<L, F, A>(lanes, additions, word + AHEAD);
        }
        let step = first_pass::<L, F>(lanes, additions, word, product);
        product = product.multiply(lanes, F::norm(step.divisor));
        steps.push(step);
    }
    let mut inverse = product.quarter_inverse(lanes);
    for word in (0..words).rev() {
        let step = steps[word];
        let inverse_norm = inverse.multiply(lanes, step.before);
        inverse = inverse.multiply(lanes, F::norm(step.divisor));
        second_pass::<L, F>(lanes, additions, word, &step, inverse_norm);
    }
}

/// Asks for all of a word's points: their first bytes and their last, which may
/// lie in another line of the cache.
#[inline(always)]
fn prefetch<L: Lanes, F: Coordinate<L>, A: Additions>(lanes: L, additions: &A, word: usize) {
    let of = indices(additions, word);
    for lane in 0..LANES {
        for part in [0, 2 * F::PARTS - 1] {
            lanes.prefetch(additions.left(of[lane], part));
            lanes.prefetch(additions.right(of[lane], part));
        }
    }
}

/// The addition in each lane of a word: the last one again in lanes that are
/// left over, which only writes the same sum twice.
#[inline(always)]
fn indices(additions: &impl Additions, word: usize) -> [usize; LANES] {
    let last = additions.count() - 1;
    let mut out = [0; LANES];
    for lane in 0..LANES {
        out[lane] = last.min(word * LANES + lane);
    }
    out
}

#[inline(always)]
fn first_pass<L: Lanes, F: Coordinate<L>>(
    lanes: L,
    additions: &impl Additions,
    word: usize,
    before: Fq<L>,
) -> Step<L, F> {
    let of = indices(additions, word);
    let x1 = coordinate::<L, F>(lanes, additions, &of, false, 0);
    let x2 = coordinate::<L, F>(lanes, additions, &of, true, 0);
    let mut run = x2.sub(lanes, x1).lift::<2>(lanes).clean(lanes);
    let mut exceptions = Exceptions::default();
    if run.maybe_zero(lanes) != 0 {
        let points = load(lanes, additions, &of);
        exceptions = Exceptions::among(lanes, &points, run);
        run = exceptions.replace(lanes, &points, run);
    }
    let divisor = run.divisor(lanes);
    Step {
        divisor,
        before,
        exceptions,
    }
}

#[inline(always)]
fn second_pass<L: Lanes, F: Coordinate<L>>(
    lanes: L,
    additions: &mut impl Additions,
    word: usize,
    step: &Step<L, F>,
    inverse_norm: Fq<L>,
) {
    let of = indices(additions, word);
    let points = load::<L, F>(lanes, additions, &of);
    let Points { x1, y1, x2, y2 } = points;
    let mut rise = y2.sub(lanes, y1).lift::<3>(lanes).clean(lanes);
    if step.exceptions.any() {
        let tangent = numerator(lanes, x1);
        rise = F::select(lanes, step.exceptions.tangent, tangent, rise);
    }
    let inverse = F::inverse(lanes, step.divisor, inverse_norm);
    let slope = rise.multiply(lanes, inverse).clean(lanes);
    let square = slope.square(lanes);
    let mut x3 = square.sub(lanes, x1.add(lanes, x2)).reduce(lanes);
    let back = x1.sub(lanes, x3).lift::<2>(lanes).double::<2>(lanes);
    let fall = slope.multiply(lanes, back.clean(lanes));
    let mut y3 = fall.sub(lanes, y1).reduce(lanes);
    if step.exceptions.any() {
        let zero = F::zero(lanes);
        x3 = F::select(lanes, step.exceptions.opposite, zero, x3);
        y3 = F::select(lanes, step.exceptions.opposite, zero, y3);
    }
    x3.store(lanes, |part, limbs| {
        for lane in 0..LANES {
            *additions.sum(of[lane], part) = limbs[lane];
        }
    });
    y3.store(lanes, |part, limbs| {
        for lane in 0..LANES {
            *additions.sum(of[lane], F::PARTS + part) = limbs[lane];
        }
    });
}

/// A coordinate of the left or of the right points of a word.
struct Side<'a, A> {
    additions: &'a A,
    of: &'a [usize; LANES],
    right: bool,
    /// The coordinate's first part.
    first: usize,
}

impl<'a, A: Additions> Side<'a, A> {
    #[inline(always)]
    fn row(&self, lane: usize, part: usize) -> &'a Limbs {
        let part = self.first + part;
        if self.right {
            self.additions.right(self.of[lane], part)
        } else {
            self.additions.left(self.of[lane], part)
        }
    }
}

impl<'a, A: Additions> Rows<'a> for Side<'a, A> {
    #[inline(always)]
    fn part(&self, part: usize) -> [&'a Limbs; LANES] {
        let mut rows = [self.row(0, part); LANES];
        for lane in 1..LANES {
            rows[lane] = self.row(lane, part);
        }
        rows
    }
}

/// All coordinates; those of negated points are negative numbers.
#[inline(always)]
fn load<L: Lanes, F: Coordinate<L>>(
    lanes: L,
    additions: &impl Additions,
    of: &[usize; LANES],
) -> Points<F> {
    let mut negative = [0; 2];
    for lane in 0..LANES {
        let [left, right] = additions.negative(of[lane]);
        negative[0] |= Mask::from(left) << lane;
        negative[1] |= Mask::from(right) << lane;
    }
    let y1 = coordinate::<L, F>(lanes, additions, of, false, F::PARTS);
    let y2 = coordinate::<L, F>(lanes, additions, of, true, F::PARTS);
    Points {
        x1: coordinate(lanes, additions, of, false, 0),
        y1: y1.negate(lanes, negative[0]),
        x2: coordinate(lanes, additions, of, true, 0),
        y2: y2.negate(lanes, negative[1]),
    }
}

#[inline(always)]
fn coordinate<L: Lanes, F: Coordinate<L>>(
    lanes: L,
    additions: &impl Additions,
    of: &[usize; LANES],
    right: bool,
    first: usize,
) -> F {
    let side = Side {
        additions,
        of,
        right,
        first,
    };
    F::load(lanes, side)
}

/// 48·x².
#[inline(always)]
fn numerator<L: Lanes, F: Coordinate<L>>(lanes: L, x: F) -> F {
    let square = x.square(lanes);
    let triple = square.double::<1>(lanes).add(lanes, square).reduce(lanes);
    let fourfold = triple.double::<2>(lanes).reduce(lanes);
    fourfold.double::<2>(lanes).reduce(lanes)
}

impl Exceptions {
    #[inline(always)]
    fn among<L: Lanes, F: Coordinate<L>>(lanes: L, points: &Points<F>, run: F) -> Self {
        let same = run.is_zero(lanes);
        let sum = points.y1.add(lanes, points.y2).reduce(lanes);
        let opposite = same & sum.is_zero(lanes);
        Self {
            tangent: same & !opposite,
            opposite,
        }
    }

    #[inline(always)]
    fn any(&self) -> bool {
        self.tangent | self.opposite != 0
    }

    /// The divisors: 2y of a tangent, one where nothing is divided.
    #[inline(always)]
    fn replace<L: Lanes, F: Coordinate<L>>(&self, lanes: L, points: &Points<F>, run: F) -> F {
        let run = F::select(lanes, self.opposite, F::one(lanes), run);
        let twice = points.y1.double::<1>(lanes).reduce(lanes);
        F::select(lanes, self.tangent, twice, run)
    }
}
