//! Field elements as 32-byte big-endian words and as integers.
//!
//! On the wire a field element is a big-endian 256-bit integer that must be
//! smaller than the modulus. Only [`reduce`] reduces: two different words are
//! two different elements.

use ark_bn254::Fr;
use ark_ff::{BigInt, BigInteger, PrimeField};

/// Bits of a canonical element: `2^253 < p < 2^254`.
pub(crate) const FIELD_BITS: usize = 254;

/// Reads a canonical word; `None` if the integer is not below the modulus.
pub fn from_word(word: &[u8; 32]) -> Option<Fr> {
    let mut limbs = [0u64; 4];
    for (limb, chunk) in limbs.iter_mut().rev().zip(word.chunks_exact(8)) {
        *limb = chunk
            .iter()
            .fold(0, |acc, byte| acc << 8 | u64::from(*byte));
    }
    Fr::from_bigint(BigInt::new(limbs))
}

/// Reads canonical words; the error is the index of the first word that is not canonical.
pub(crate) fn from_words(words: &[[u8; 32]]) -> Result<Vec<Fr>, usize> {
    let read = |(at, word)| from_word(word).ok_or(at);
    words.iter().enumerate().map(read).collect()
}

/// Writes an element as its canonical word.
pub fn to_word(value: &Fr) -> [u8; 32] {
    let mut word = [0; 32];
    let limbs = value.into_bigint().0;
    for (chunk, limb) in word.chunks_exact_mut(8).zip(limbs.iter().rev()) {
        chunk.copy_from_slice(&limb.to_be_bytes());
    }
    word
}

/// Reads any 32 bytes as a big-endian integer and reduces it. Only for digests.
pub fn reduce(digest: &[u8; 32]) -> Fr {
    Fr::from_be_bytes_mod_order(digest)
}

/// Returns whether the canonical integer has at most `bits` bits.
pub fn fits(value: &Fr, bits: usize) -> bool {
    value.into_bigint().num_bits() as usize <= bits
}

/// Returns `2^exponent` as an element.
pub fn power_of_two(exponent: usize) -> Fr {
    let mut limbs = [0u64; 4];
    limbs[exponent / 64] = 1 << (exponent % 64);
    Fr::new(BigInt::new(limbs))
}

/// Returns the canonical integer as a `u64`; `None` if it is larger.
pub fn small(value: &Fr) -> Option<u64> {
    let limbs = value.into_bigint().0;
    (limbs[1..] == [0, 0, 0]).then_some(limbs[0])
}
