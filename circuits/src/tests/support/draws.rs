//! Random values around the limits of the rules.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};

use crate::field::power_of_two;
use crate::test_util::random;

/// A small random generator: a failure reports the seed that reproduces it.
pub(crate) struct Draws(u64);

impl Draws {
    /// Creates the generator of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    /// Returns a value near the old one, near a limit, or anywhere.
    pub(crate) fn value(&mut self, old: Fr) -> Fr {
        let limits = [29, 30, 32, 64, 241, 242, 250, 251, 252];
        match self.below(8) {
            0 => old + Fr::ONE,
            1 => old - Fr::ONE,
            2 => Fr::from(self.below(8) as u64),
            3 => power_of_two(limits[self.below(limits.len())]),
            4 => power_of_two(limits[self.below(limits.len())]) - Fr::ONE,
            5 => old.double(),
            6 => -Fr::from(self.below(3) as u64),
            _ => random(self.0),
        }
    }
}
