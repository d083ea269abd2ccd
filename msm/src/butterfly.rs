//! Passes of number-theoretic transforms: butterflies of up to sixteen elements
//! in each lane, between one read of the memory and one write.
//!
//! A transform follows the factors of X^n − 1, or of X^n + 1: modulo X^2h − s² it
//! splits into X^h − s and X^h + s. All lanes of such a block have the same s, and
//! the blocks of a level have theirs in the order of the table: block j of m
//! finds s at j for X^n − 1 and at m + j for X^n + 1.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;

use crate::{
    kernel::{Kernel, Machine},
    modulus::canonical,
};

/// Elements that are in hand at once.
pub(crate) const RADIX: usize = 16;

/// A machine's words of elements.
pub(crate) trait Butterflies: Machine {
    /// Elements in a word.
    const LANES: usize;
    /// What a stored factor must be times, so that a stored product is one.
    const SCALE: u64;
    type Word: Copy;

    fn splat(self, value: &Fr) -> Self::Word;
    /// `values[first]`, `values[first + stride]` and so on.
    fn load(self, values: &[Fr], first: usize, stride: usize) -> Self::Word;
    fn store(self, word: Self::Word, values: &mut [Fr], first: usize, stride: usize);
    fn multiply(self, a: Self::Word, b: Self::Word) -> Self::Word;
    fn add(self, a: Self::Word, b: Self::Word) -> Self::Word;
    /// Of the lower and the upper element. `reduce` is set at every second step
    /// and at the last one.
    fn butterfly(
        self,
        direction: Direction,
        pair: (Self::Word, Self::Word),
        root: Self::Word,
        reduce: bool,
    ) -> (Self::Word, Self::Word);
}

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
    /// 2^k rows of one length, a multiple of [`Butterflies::LANES`], for k levels.
    pub(crate) rows: &'a mut [&'a mut [Fr]],
    pub(crate) table: &'a [Fr],
    /// The block's place in the table.
    pub(crate) place: usize,
}

impl<B: Butterflies> Kernel<B> for Strided<'_> {
    #[inline(always)]
    fn run(self, machine: B) {
        let levels = self.rows.len().ilog2();
        let len = self.rows[0].len();
        for start in (0..len).step_by(B::LANES) {
            let mut words = [machine.splat(&Fr::ZERO); RADIX];
            for (word, row) in words.iter_mut().zip(&*self.rows) {
                *word = machine.load(row, start, 1);
            }
            for step in 0..levels {
                let level = level(self.direction, step, levels);
                let reduce = step % 2 == 1 || step + 1 == levels;
                for block in 0..1 << level {
                    let root = &self.table[(self.place << level) + block];
                    let root = machine.splat(root);
                    let half = self.rows.len() >> (level + 1);
                    for i in 0..half {
                        let (low, high) = (2 * block * half + i, 2 * block * half + half + i);
                        let pair = (words[low], words[high]);
                        (words[low], words[high]) =
                            machine.butterfly(self.direction, pair, root, reduce);
                    }
                }
            }
            for (word, row) in words.iter().zip(&mut *self.rows) {
                machine.store(*word, row, start, 1);
            }
        }
    }
}

/// The levels of sixteen blocks of sixteen, a block a lane.
pub(crate) struct Blocks<'a> {
    pub(crate) direction: Direction,
    /// [`Butterflies::LANES`] · [`RADIX`] values.
    pub(crate) values: &'a mut [Fr],
    pub(crate) table: &'a [Fr],
    /// The first block's place in the table.
    pub(crate) place: usize,
}

impl<B: Butterflies> Kernel<B> for Blocks<'_> {
    #[inline(always)]
    fn run(self, machine: B) {
        let levels = RADIX.ilog2();
        let mut words = [machine.splat(&Fr::ZERO); RADIX];
        for (offset, word) in words.iter_mut().enumerate() {
            *word = machine.load(self.values, offset, RADIX);
        }
        for step in 0..levels {
            let level = level(self.direction, step, levels);
            let reduce = step % 2 == 1;
            for block in 0..1 << level {
                let roots = &self.table[self.place << level..];
                let root = machine.load(roots, block, 1 << level);
                let half = RADIX >> (level + 1);
                for i in 0..half {
                    let (low, high) = (2 * block * half + i, 2 * block * half + half + i);
                    let pair = (words[low], words[high]);
                    (words[low], words[high]) =
                        machine.butterfly(self.direction, pair, root, reduce);
                }
            }
        }
        for (offset, word) in words.iter().enumerate() {
            machine.store(*word, self.values, offset, RADIX);
        }
    }
}

/// `left[i] = left[i] · right[i]` over [`Butterflies::SCALE`].
pub(crate) struct Multiply<'a> {
    pub(crate) left: &'a mut [Fr],
    pub(crate) right: &'a [Fr],
}

impl<B: Butterflies> Kernel<B> for Multiply<'_> {
    #[inline(always)]
    fn run(self, machine: B) {
        for start in (0..self.left.len()).step_by(B::LANES) {
            let left = machine.load(self.left, start, 1);
            let product = machine.multiply(left, machine.load(self.right, start, 1));
            machine.store(product, self.left, start, 1);
        }
    }
}

/// `left[i] = left[i] · factors[0] + right[i] · factors[1]`, over
/// [`Butterflies::SCALE`] and reduced as arkworks' elements are.
pub(crate) struct Combine<'a> {
    pub(crate) left: &'a mut [Fr],
    pub(crate) right: &'a [Fr],
    pub(crate) factors: [Fr; 2],
}

impl<B: Butterflies> Kernel<B> for Combine<'_> {
    #[inline(always)]
    fn run(self, machine: B) {
        let [a, b] = self.factors.each_ref().map(|factor| machine.splat(factor));
        for start in (0..self.left.len()).step_by(B::LANES) {
            let first = machine.multiply(machine.load(self.left, start, 1), a);
            let second = machine.multiply(machine.load(self.right, start, 1), b);
            machine.store(machine.add(first, second), self.left, start, 1);
        }
        for value in self.left {
            *value = canonical(&value.0.0);
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
