//! The rollup's bridges and fee assets in rows.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;

use super::TxRollupWitness;
use crate::gadgets::bits::is_zero;
use crate::published::{ASSETS, BRIDGES, NO_ASSET, padded};
use crate::r1cs::{Bit, Builder, Num};
use crate::statement::matched::MatchedSums;

/// The lists that txs are matched against, and the sums over txs so far.
pub(super) struct MatchedLists {
    pub(super) bridges: MatchedSums,
    pub(super) assets: MatchedSums,
}

impl MatchedLists {
    /// Allocates both lists: used entries first, then fillers only.
    pub(super) fn new(b: &mut Builder, w: &TxRollupWitness) -> Self {
        let none = Fr::from(NO_ASSET);
        Self {
            bridges: list(b, &padded(&w.bridges, BRIDGES, Fr::ZERO), Fr::ZERO),
            assets: list(b, &padded(&w.assets, ASSETS, none), none),
        }
    }

    /// Adds a deposit to the one bridge it matches and gives that bridge's
    /// number by its bits; nothing is demanded or added unless `is_deposit`.
    pub(super) fn deposit(
        &mut self,
        b: &mut Builder,
        is_deposit: &Bit,
        bridge: &Num,
        value: &Num,
    ) -> Vec<Bit> {
        let (matches, count) = self.bridges.matches(b, bridge);
        // Fillers are zero: a deposit to zero must not match one of them.
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

    /// Adds a fee to the asset it matches, if any; several may match only
    /// where `may_repeat`.
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

/// Allocates a list whose fillers may only be followed by fillers.
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
