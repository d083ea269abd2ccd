//! The rollup's bridges and fee assets as rows (constraints).

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;

use super::TxRollupWitness;
use crate::gadgets::bits::is_zero;
use crate::published::{ASSETS, BRIDGES, NO_ASSET, padded};
use crate::r1cs::{Bit, Builder, Num};
use crate::statement::matched::MatchedSums;

/// The lists of bridges and assets, and the sums over the txs so far.
pub(super) struct MatchedLists {
    pub(super) bridges: MatchedSums,
    pub(super) assets: MatchedSums,
}

impl MatchedLists {
    /// Allocates both lists and enforces that only fillers follow a filler.
    pub(super) fn new(b: &mut Builder, w: &TxRollupWitness) -> Self {
        let none = Fr::from(NO_ASSET);
        Self {
            bridges: list(b, &padded(&w.bridges, BRIDGES, Fr::ZERO), Fr::ZERO),
            assets: list(b, &padded(&w.assets, ASSETS, none), none),
        }
    }

    /// Adds a deposit to the only bridge that it matches and returns the bits of
    /// that bridge's index. Unless `is_deposit`, nothing is enforced or added.
    pub(super) fn deposit(
        &mut self,
        b: &mut Builder,
        is_deposit: &Bit,
        bridge: &Num,
        value: &Num,
    ) -> Vec<Bit> {
        let (matches, count) = self.bridges.matches(b, bridge);
        // Fillers are zero: a deposit to bridge zero must not match a filler.
        let filler = is_zero(b, bridge);
        b.zero_where(is_deposit.num(), filler.num());
        b.zero_where(is_deposit.num(), &count.plus(-Fr::from(1u64)));
        let value = b.mul(is_deposit.num(), value);
        self.bridges.add(b, &matches, &value);
        (0..BRIDGES.ilog2())
            .map(|j| {
                let with_bit = matches.iter().enumerate().filter(|(k, _)| k >> j & 1 == 1);
                let bit = Num::sum(with_bit.map(|(_, matched)| matched.num()));
                Bit::assert_boolean(b.mul(is_deposit.num(), &bit))
            })
            .collect()
    }

    /// Adds a fee to the asset that it matches, if any. Several assets may
    /// match only if `may_repeat` is not zero.
    pub(super) fn pay(&mut self, b: &mut Builder, asset: &Num, fee: &Num, may_repeat: &Num) {
        let (matches, count) = self.assets.matches(b, asset);
        let listed = is_zero(b, &asset.plus(-Fr::from(NO_ASSET))).not();
        let count = b.mul(listed.num(), &count);
        let several = b.mul(&count, &count.plus(-Fr::from(1u64)));
        b.zero_where(&several, &(&Num::one() - may_repeat));
        let fee = b.mul(listed.num(), fee);
        self.assets.add(b, &matches, &fee);
    }
}

/// Allocates a list in which only fillers may follow a filler.
fn list(b: &mut Builder, values: &[Fr], filler: Fr) -> MatchedSums {
    let list = MatchedSums::new(b, values);
    let known = list.known.iter();
    let unused: Vec<Bit> = known
        .map(|value| is_zero(b, &value.plus(-filler)))
        .collect();
    for pair in unused.windows(2) {
        b.zero_where(pair[0].num(), pair[1].not().num());
    }
    list
}
