//! 32-byte big-endian words: field elements, 256-bit integers, addresses.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The order of BN254's scalar field, big-endian.
const MODULUS: [u8; 32] = [
    0x30, 0x64, 0x4e, 0x72, 0xe1, 0x31, 0xa0, 0x29, 0xb8, 0x50, 0x45, 0xb6, 0x81, 0x81, 0x58, 0x5d,
    0x28, 0x33, 0xe8, 0x48, 0x79, 0xb9, 0x70, 0x91, 0x43, 0xe1, 0xf5, 0x93, 0xf0, 0x00, 0x00, 0x01,
];

/// One 32-byte big-endian word, as it stands on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Word(pub [u8; 32]);

impl Word {
    /// The word zero.
    pub const ZERO: Self = Self([0; 32]);

    /// Splits a buffer into words; bytes after the last whole word are ignored.
    pub(crate) fn all(bytes: &[u8]) -> Vec<Self> {
        bytes.as_chunks().0.iter().copied().map(Self).collect()
    }

    /// Whether the word is below the order of BN254's scalar field: only such a word is
    /// the canonical encoding of a field element.
    pub(crate) fn is_canonical(&self) -> bool {
        // The first byte decides nearly every word, and a request has 36,000 words.
        self.0[0] < MODULUS[0] || self.0 < MODULUS
    }

    /// The word as an unsigned integer, if it fits 64 bits.
    pub fn to_u64(self) -> Option<u64> {
        let (high, low) = self.0.split_at(24);
        let low = low.try_into().expect("the last eight of 32 bytes");
        (high == [0; 24]).then(|| u64::from_be_bytes(low))
    }
}

impl From<u64> for Word {
    fn from(value: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[24..].copy_from_slice(&value.to_be_bytes());
        Self(bytes)
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Word({self})")
    }
}
