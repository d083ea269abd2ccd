//! The sums of a rollup, as its header publishes them.

use zkwhirl_circuits::published::{ASSETS, BRIDGES, NO_ASSET};
use zkwhirl_job::Word;

/// The deposits by bridge, and the fees by asset.
#[derive(Debug, Default)]
pub(super) struct RollupTotals {
    /// The sum of deposits of each bridge, in the order of the rollup's bridges.
    pub(super) deposits: [u64; BRIDGES],
    /// The sum of fees of each asset, in the order of the assets' first fee.
    fees: Vec<(Word, u64)>,
}

impl RollupTotals {
    pub(super) fn pay(&mut self, asset: Word, fee: u64) {
        match self.fees.iter_mut().find(|(known, _)| *known == asset) {
            Some((_, sum)) => *sum += fee,
            None => self.fees.push((asset, fee)),
        }
    }

    /// Returns the assets in which fees were paid.
    pub(super) fn assets(&self) -> Vec<Word> {
        self.fees.iter().map(|(asset, _)| *asset).collect()
    }

    /// Returns the words of the header's lists: bridges, deposits, assets,
    /// fees.
    pub(super) fn words(&self, bridges: &[Word]) -> Vec<Word> {
        let fees = self.fees.iter().map(|(_, fee)| Word::from(*fee));
        [
            padded(bridges.to_vec(), BRIDGES, 0),
            self.deposits.map(Word::from).to_vec(),
            padded(self.assets(), ASSETS, NO_ASSET),
            padded(fees.collect(), ASSETS, 0),
        ]
        .concat()
    }
}

/// Returns a list of `length` words: the entries, then `filler`.
pub(super) fn padded(mut entries: Vec<Word>, length: usize, filler: u64) -> Vec<Word> {
    entries.resize(length, Word::from(filler));
    entries
}
