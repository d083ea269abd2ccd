//! Lists that amounts are added up by, in rows.

use ark_bn254::Fr;

use crate::gadgets::bits::is_equal;
use crate::r1cs::{Bit, Builder, Num};

/// A list of bridges or assets, and for each entry the sum of its amounts.
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

    /// Which entries equal a value, and how many: two rows an entry.
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
