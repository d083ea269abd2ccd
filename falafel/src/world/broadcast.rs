//! The broadcast data of a rollup: the public part of its final buffer.

use bytes::Bytes;
use zkwhirl_circuits::published::{ASSETS, BRIDGES};
use zkwhirl_job::{
    Sizes, Word,
    reply::{broadcast_bytes, fields},
};

/// Number of words before the transactions' words.
pub(super) const HEADER_WORDS: usize = 142;
/// Number of words per transaction.
const TX_WORDS: usize = 8;

/// The broadcast data of a rollup as it must be: 142 header words, then 8 words
/// per transaction slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedBroadcast {
    sizes: Sizes,
    words: Vec<Word>,
}

/// Why a buffer does not start with the broadcast data of its rollup.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BroadcastMismatch {
    /// The buffer has no bytes after the broadcast data.
    #[error("the buffer has {got} bytes, must have more than the {must} bytes of broadcast data")]
    Length {
        /// Length of the buffer in bytes.
        got: usize,
        /// Length of the broadcast data in bytes.
        must: usize,
    },
    /// A word differs from the world's word.
    #[error("{name} (word {place} of the broadcast data) is {got}, must be {must}")]
    Word {
        /// The word's name.
        name: String,
        /// The word's index in the broadcast data, from 0.
        place: usize,
        /// The buffer's word.
        got: Word,
        /// The world's word.
        must: Word,
    },
}

impl ExpectedBroadcast {
    /// Builds the data from header and transaction words; unused slots are zero.
    pub(super) fn new(sizes: Sizes, header: Vec<Word>, txs: impl Iterator<Item = Word>) -> Self {
        assert_eq!(header.len(), HEADER_WORDS, "words of a header");
        let mut words = header;
        words.extend(txs);
        words.resize(broadcast_bytes(sizes) / 32, Word::ZERO);
        Self { sizes, words }
    }

    /// All words of the broadcast data.
    pub fn words(&self) -> &[Word] {
        &self.words
    }

    /// Checks that a buffer starts with this data and has more bytes, and returns
    /// the bytes after the data. The error names the first word that differs.
    pub fn check(&self, buffer: &Bytes) -> Result<Bytes, BroadcastMismatch> {
        let must = broadcast_bytes(self.sizes);
        let got = fields(buffer, self.words.len()).filter(|_| buffer.len() > must);
        let got = got.ok_or(BroadcastMismatch::Length {
            got: buffer.len(),
            must,
        })?;
        match (0..got.len()).find(|place| got[*place] != self.words[*place]) {
            None => Ok(buffer.slice(must..)),
            Some(place) => Err(BroadcastMismatch::Word {
                name: self.name(place),
                place,
                got: got[place],
                must: self.words[place],
            }),
        }
    }

    /// Returns the name of the word at index `place`.
    pub fn name(&self, place: usize) -> String {
        const HEADER: [(&str, usize); 19] = [
            ("rollup id", 1),
            ("rollup size", 1),
            ("data start index", 1),
            ("old data root", 1),
            ("new data root", 1),
            ("old nullifier root", 1),
            ("new nullifier root", 1),
            ("old data roots root", 1),
            ("new data roots root", 1),
            ("old defi root", 1),
            ("new defi root", 1),
            ("bridge call data", BRIDGES),
            ("deposit sum", BRIDGES),
            ("asset id", ASSETS),
            ("total fee", ASSETS),
            ("defi interaction note", BRIDGES),
            ("previous defi interaction hash", 1),
            ("rollup beneficiary", 1),
            ("number of inner proofs", 1),
        ];
        let mut at = place;
        for (name, words) in HEADER {
            match words {
                1 if at == 0 => return name.to_owned(),
                _ if at < words => return format!("{name} {at}"),
                _ => at -= words,
            }
        }
        self.tx_name(at)
    }

    fn tx_name(&self, at: usize) -> String {
        const WORDS: [&str; TX_WORDS] = [
            "proof id",
            "note commitment 1",
            "note commitment 2",
            "nullifier 1",
            "nullifier 2",
            "public value",
            "public owner",
            "public asset id",
        ];
        let (slot, slots) = (at / TX_WORDS, self.sizes.slots() as usize);
        let (inner, slot) = (slot / slots, slot % slots);
        let word = WORDS[at % TX_WORDS];
        format!("{word} of slot {slot} of inner rollup {inner}")
    }
}
