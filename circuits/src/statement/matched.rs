//! Lists of bridges or assets with sums of amounts, as rows (constraints).

use ark_bn254::Fr;

use crate::gadgets::bits::is_equal;
use crate::r1cs::{Bit, Builder, Num};

/// A list of bridges or assets, with the sum of amounts for each entry.
pub(super) struct MatchedSums {
    pub(super) known: Vec<Num>,
    pub(super) sums: Vec<Num>,
}

impl MatchedSums {
    pub(super) fn new(b: &mut Builder, values: &[Fr]) -> Self {
        Self {
            known: values.iter().map(|value| b.alloc(*value)).collect(),
            sums: vec![Num::zero(); values.len()],
        }
    }

    /// Returns which entries equal a value, and their number: two rows per entry.
    pub(super) fn matches(&self, b: &mut Builder, value: &Num) -> (Vec<Bit>, Num) {
        let known = self.known.iter();
        let matches: Vec<Bit> = known.map(|known| is_equal(b, value, known)).collect();
        let count = Num::sum(matches.iter().map(Bit::num));
        (matches, count)
    }

    /// Adds an amount to the entries that match.
    pub(super) fn add(&mut self, b: &mut Builder, matches: &[Bit], amount: &Num) {
        for (sum, matched) in self.sums.iter_mut().zip(matches) {
            *sum = &*sum + &b.mul(matched.num(), amount);
        }
    }
}
