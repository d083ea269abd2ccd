//! The sums of a rollup, as its header publishes them.

use zkwhirl_circuits::published::{ASSETS, BRIDGES, NO_ASSET};
use zkwhirl_job::Word;

/// Deposits by bridge, and fees by asset.
#[derive(Debug, Default)]
pub(super) struct RollupTotals {
    /// In the order of the rollup's bridges.
    pub(super) deposits: [u64; BRIDGES],
    /// Assets in the order of their first fee, with the fees.
    fees: Vec<(Word, u64)>,
}

impl RollupTotals {
    pub(super) fn pay(&mut self, asset: Word, fee: u64) {
        match self.fees.iter_mut().find(|(known, _)| *known == asset) {
            Some((_, sum)) => *sum += fee,
            None => self.fees.push((asset, fee)),
        }
    }

    /// The assets of the fees.
    pub(super) fn assets(&self) -> Vec<Word> {
        self.fees.iter().map(|(asset, _)| *asset).collect()
    }

    /// The words of a header's lists from the bridges on: bridges, deposits, assets,
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

/// A list of a fixed length: entries, then `filler`.
pub(super) fn padded(mut entries: Vec<Word>, length: usize, filler: u64) -> Vec<Word> {
    entries.resize(length, Word::from(filler));
    entries
}
