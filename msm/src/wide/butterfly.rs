//! Passes of number-theoretic transforms: butterflies of up to sixteen elements
//! in each lane, between one read of the memory and one write.
//!
//! A transform follows the factors of X^n − 1, or of X^n + 1: modulo X^2h − s² it
//! splits into X^h − s and X^h + s. All lanes of such a block have the same s, and
//! the blocks of a level have theirs in the order of the table: block j of m
//! finds s at j for X^n − 1 and at m + j for X^n + 1.

use ark_bn254::Fr;
use ark_ff::{BigInt, BigInteger, PrimeField};

use super::{
    element::Element,
    lanes::{Kernel, LANES, Lanes, Limbs},
    modulus::Scalar,
};

/// Elements that are in hand at once.
pub(crate) const RADIX: usize = 16;

type Word<L> = Element<L, Scalar>;

/// Which way a transform goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From coefficients to values, in the table of roots.
    Forward,
    /// From values to coefficients times n, in the table of inverse roots.
    Inverse,
}

/// Levels of a block whose parts are at least a word long.
pub(crate) struct Strided<'a> {
    pub(crate) direction: Direction,
    /// 2^k rows of one length, a multiple of [`LANES`], for k levels.
    pub(crate) rows: &'a mut [&'a mut [Fr]],
    pub(crate) table: &'a [Fr],
    /// The block's place in the table.
    pub(crate) place: usize,
}

impl<L: Lanes> Kernel<L> for Strided<'_> {
    #[inline(always)]
    fn run(self, lanes: L) {
        let levels = self.rows.len().ilog2();
        let len = self.rows[0].len();
        for start in (0..len).step_by(LANES) {
            let mut words = [Word::number(lanes, 0); RADIX];
            for (word, row) in words.iter_mut().zip(&*self.rows) {
                *word = load(lanes, &row[start..start + LANES], 0, 1);
            }
            for step in 0..levels {
                let level = level(self.direction, step, levels);
                let reduce = step % 2 == 1 || step + 1 == levels;
                for block in 0..1 << level {
                    let root = &self.table[(self.place << level) + block];
                    let root = Word::splat_stored(lanes, &root.0.0);
                    let half = self.rows.len() >> (level + 1);
                    for i in 0..half {
                        let pair = (2 * block * half + i, 2 * block * half + half + i);
                        butterfly(lanes, self.direction, &mut words, pair, root, reduce);
                    }
                }
            }
            for (word, row) in words.iter().zip(&mut *self.rows) {
                store(lanes, *word, &mut row[start..start + LANES], 0, 1);
            }
        }
    }
}

/// The levels of sixteen blocks of sixteen, a block a lane.
pub(crate) struct Blocks<'a> {
    pub(crate) direction: Direction,
    /// `LANES` · `RADIX` values.
    pub(crate) values: &'a mut [Fr],
    pub(crate) table: &'a [Fr],
    /// The first block's place in the table.
    pub(crate) place: usize,
}

impl<L: Lanes> Kernel<L> for Blocks<'_> {
    #[inline(always)]
    fn run(self, lanes: L) {
        let levels = RADIX.ilog2();
        let mut words = [Word::number(lanes, 0); RADIX];
        for (offset, word) in words.iter_mut().enumerate() {
            *word = load(lanes, self.values, offset, RADIX);
        }
        for step in 0..levels {
            let level = level(self.direction, step, levels);
            let reduce = step % 2 == 1;
            for block in 0..1 << level {
                let roots = &self.table[self.place << level..];
                let root = load(lanes, roots, block, 1 << level);
                let half = RADIX >> (level + 1);
                for i in 0..half {
                    let pair = (2 * block * half + i, 2 * block * half + half + i);
                    butterfly(lanes, self.direction, &mut words, pair, root, reduce);
                }
            }
        }
        for (offset, word) in words.iter().enumerate() {
            store(lanes, *word, self.values, offset, RADIX);
        }
    }
}

/// `left[i] = left[i] · right[i] / 16`.
pub(crate) struct Multiply<'a> {
    pub(crate) left: &'a mut [Fr],
    pub(crate) right: &'a [Fr],
}

impl<L: Lanes> Kernel<L> for Multiply<'_> {
    #[inline(always)]
    fn run(self, lanes: L) {
        let (left, _) = self.left.as_chunks_mut::<LANES>();
        let (right, _) = self.right.as_chunks::<LANES>();
        for (left, right) in left.iter_mut().zip(right) {
            let product = load(lanes, left, 0, 1).multiply(lanes, load(lanes, right, 0, 1));
            store(lanes, product, left, 0, 1);
        }
    }
}

/// `left[i] = (left[i] · factors[0] + right[i] · factors[1]) · 16`, reduced as
/// arkworks' elements are.
pub(crate) struct Combine<'a> {
    pub(crate) left: &'a mut [Fr],
    pub(crate) right: &'a [Fr],
    /// As roots are.
    pub(crate) factors: [Fr; 2],
}

impl<L: Lanes> Kernel<L> for Combine<'_> {
    #[inline(always)]
    fn run(self, lanes: L) {
        let [a, b] = self.factors;
        let (a, b) = (
            Word::splat_stored(lanes, &a.0.0),
            Word::splat_stored(lanes, &b.0.0),
        );
        let (left, _) = self.left.as_chunks_mut::<LANES>();
        let (right, _) = self.right.as_chunks::<LANES>();
        for (left, right) in left.iter_mut().zip(right) {
            let first = load(lanes, left, 0, 1).multiply(lanes, a);
            let second = load(lanes, right, 0, 1).multiply(lanes, b);
            store(lanes, first.add(lanes, second).reduce(lanes), left, 0, 1);
            for value in left {
                *value = canonical(&value.0.0);
            }
        }
    }
}

/// Forward, blocks get smaller from step to step.
#[inline(always)]
fn level(direction: Direction, step: u32, levels: u32) -> u32 {
    match direction {
        Direction::Forward => step,
        Direction::Inverse => levels - 1 - step,
    }
}

/// One butterfly. Elements are below 1.07·q before every second step, for which
/// `reduce` is false, and below 3.1·q before the others.
#[inline(always)]
fn butterfly<L: Lanes>(
    lanes: L,
    direction: Direction,
    words: &mut [Word<L>; RADIX],
    (low, high): (usize, usize),
    root: Word<L>,
    reduce: bool,
) {
    let (u, v) = (words[low], words[high]);
    if direction == Direction::Forward {
        let v = v.multiply(lanes, root);
        let (sum, difference) = (u.add(lanes, v), u.sub(lanes, v));
        if reduce {
            words[low] = sum.reduce(lanes);
            words[high] = difference.reduce(lanes);
        } else {
            words[low] = sum.clean(lanes);
            words[high] = difference.lift::<2>(lanes).clean(lanes);
        }
    } else {
        let (sum, difference) = (u.add(lanes, v), u.sub(lanes, v));
        words[low] = if reduce {
            sum.reduce(lanes)
        } else {
            sum.clean(lanes)
        };
        let difference = difference.lift::<4>(lanes).clean(lanes);
        words[high] = difference.multiply(lanes, root);
    }
}

/// `values[first]`, `values[first + stride]` and so on.
#[inline(always)]
fn load<L: Lanes>(lanes: L, values: &[Fr], first: usize, stride: usize) -> Word<L> {
    let values = &values[first..][..(LANES - 1) * stride + 1];
    let mut rows: [&Limbs; LANES] = [&values[0].0.0; LANES];
    for lane in 1..LANES {
        rows[lane] = &values[lane * stride].0.0;
    }
    Word::load(lanes, rows)
}

#[inline(always)]
fn store<L: Lanes>(lanes: L, word: Word<L>, values: &mut [Fr], first: usize, stride: usize) {
    let rows = word.store(lanes);
    let values = &mut values[first..][..(LANES - 1) * stride + 1];
    for lane in 0..LANES {
        values[lane * stride].0.0 = rows[lane];
    }
}

/// arkworks' element of a stored number.
fn canonical(number: &Limbs) -> Fr {
    let mut number = BigInt(*number);
    while number >= Fr::MODULUS {
        number.sub_with_borrow(&Fr::MODULUS);
    }
    Fr::new_unchecked(number)
}
