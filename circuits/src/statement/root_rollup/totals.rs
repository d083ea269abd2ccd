//! The rollup's sums over its inner rollups, in rows.

use ark_bn254::Fr;

use crate::gadgets::bits::is_equal;
use crate::r1cs::{Bit, Builder, Num};

/// A list of the rollup's, and for each entry the sum over inner rollups.
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

    /// Adds an inner rollup's amount to the one entry that its value matches;
    /// nothing is demanded or added unless `used`.
    pub(super) fn add(&mut self, b: &mut Builder, used: &Num, value: &Num, amount: &Num) {
        let matches: Vec<Bit> = self
            .known
            .iter()
            .map(|known| is_equal(b, value, known))
            .collect();
        let count = Num::sum(matches.iter().map(Bit::num));
        b.enforce(used, &count.plus(-Fr::from(1u64)), &Num::zero());
        let amount = b.mul(used, amount);
        for (sum, matched) in self.sums.iter_mut().zip(&matches) {
            *sum = &*sum + &b.mul(matched.num(), &amount);
        }
    }
}
