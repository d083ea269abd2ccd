//! The native tail: the part of a native reply after the published fields.

use bytes::{BufMut, Bytes, BytesMut};

use super::ReplyError;
use crate::Word;

/// How many verification keys one reply names, at most.
pub const MAX_VKS: usize = 16;
/// How many words one reply has beside its published fields, at most.
pub const MAX_WORDS: usize = 65_536;
/// How many proofs one reply has, at most: a whole rollup has those of all its inners.
pub const MAX_PROOFS: usize = 8_192;
/// The length of a tail with one proof ([`NativeForm::Single`]), in bytes.
pub const SINGLE_TAIL_BYTES: usize = HEADER_BYTES + DIGEST_BYTES + PROOF_BYTES;

const MAGIC: [u8; 4] = *b"zkW1";
const HEADER_BYTES: usize = 4 + 1 + 1 + 2 + 4 + 4;
const DIGEST_BYTES: usize = 32;
const PROOF_BYTES: usize = 128;

/// The hashes of a native statement; one byte in a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum SuiteTag {
    /// Aztec Connect's own hashes.
    Pedersen = 0,
    /// Poseidon, circomlib's parameters.
    Poseidon = 1,
}

/// The meaning of the words and proofs in a reply; one byte in a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum NativeForm {
    /// One proof by one key, without words: a claim, a join-split, an account.
    Single = 0,
    /// A tx rollup in one circuit.
    TxRollup = 1,
    /// A tx rollup as a chain of circuits.
    TxRollupChain = 2,
    /// A whole rollup with all its inner rollups.
    Rollup = 3,
}

/// The Groth16 proofs over BN254 that follow the published fields:
/// `"zkW1" ‖ suite u8 ‖ form u8 ‖ vks u16 ‖ words u32 ‖ proofs u32 ‖
/// vks × digest[32] ‖ words × word[32] ‖ proofs × proof[128]`, big-endian.
///
/// A proof is A ‖ B ‖ C, each compressed (32, 64, 32 bytes). A digest names a
/// verification key; the verifier's own key must have the same digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativeProof {
    /// The suite of the statements.
    pub suite: SuiteTag,
    /// The meaning of the words and proofs.
    pub form: NativeForm,
    /// BLAKE3 of each verification key, at least one, at most [`MAX_VKS`].
    pub vks: Vec<[u8; DIGEST_BYTES]>,
    /// The words that a verifier needs beside the published fields, at most [`MAX_WORDS`].
    pub words: Vec<Word>,
    /// The proofs, at least one, at most [`MAX_PROOFS`].
    pub proofs: Vec<[u8; PROOF_BYTES]>,
}

impl NativeForm {
    fn of(byte: u8) -> Option<Self> {
        let all = [
            Self::Single,
            Self::TxRollup,
            Self::TxRollupChain,
            Self::Rollup,
        ];
        all.get(usize::from(byte)).copied()
    }

    /// The smallest and largest numbers of verification keys, words and proofs.
    fn counts(self) -> [(&'static str, usize, usize); 3] {
        let [vks, words, proofs] = match self {
            Self::Single => [(1, 1), (0, 0), (1, 1)],
            _ => [(1, MAX_VKS), (0, MAX_WORDS), (1, MAX_PROOFS)],
        };
        [
            ("number of verification keys", vks.0, vks.1),
            ("number of words", words.0, words.1),
            ("number of proofs", proofs.0, proofs.1),
        ]
    }
}

impl NativeProof {
    /// Makes a tail of one proof by the key with digest `vk`.
    pub fn single(suite: SuiteTag, vk: [u8; DIGEST_BYTES], proof: [u8; PROOF_BYTES]) -> Self {
        Self {
            suite,
            form: NativeForm::Single,
            vks: vec![vk],
            words: Vec::new(),
            proofs: vec![proof],
        }
    }

    /// Encodes the tail: the bytes after the published fields.
    pub fn to_bytes(&self) -> Bytes {
        let counts = [self.vks.len(), self.words.len(), self.proofs.len()];
        let mut out = BytesMut::with_capacity(length(counts));
        out.put_slice(&MAGIC);
        out.put_u8(self.suite as u8);
        out.put_u8(self.form as u8);
        out.put_u16(u16::try_from(counts[0]).expect("at most MAX_VKS keys"));
        for count in &counts[1..] {
            out.put_u32(u32::try_from(*count).expect("bounded by MAX_WORDS and MAX_PROOFS"));
        }
        self.vks.iter().for_each(|vk| out.put_slice(vk));
        self.words.iter().for_each(|word| out.put_slice(&word.0));
        self.proofs.iter().for_each(|proof| out.put_slice(proof));
        out.freeze()
    }

    /// Reads a tail. Does not check that its words are canonical: their reader checks them.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReplyError> {
        let must = |must: usize| {
            let got = bytes.len();
            ReplyError::new(format_args!(
                "a native proof of {got} bytes must have {must}"
            ))
        };
        let (header, rest) = bytes
            .split_first_chunk::<HEADER_BYTES>()
            .ok_or_else(|| must(SINGLE_TAIL_BYTES))?;
        let (suite, form, counts) = parse_header(header)?;
        if bytes.len() != length(counts) {
            return Err(must(length(counts)));
        }
        let (vks, rest) = rest.split_at(DIGEST_BYTES * counts[0]);
        let (words, proofs) = rest.split_at(32 * counts[1]);
        Ok(Self {
            suite,
            form,
            vks: vks.as_chunks().0.to_vec(),
            words: Word::all(words),
            proofs: proofs.as_chunks().0.to_vec(),
        })
    }
}

/// Reads suite, form, and the numbers of keys, words and proofs; checks their bounds.
fn parse_header(
    header: &[u8; HEADER_BYTES],
) -> Result<(SuiteTag, NativeForm, [usize; 3]), ReplyError> {
    if header[..4] != MAGIC {
        let why = "no native proof follows the published fields (it must start with \"zkW1\")";
        return Err(ReplyError::new(why));
    }
    let wrong = |field: &str, got: usize, must: String| {
        ReplyError::new(format_args!(
            "a native proof's {field} is {got}, must be {must}"
        ))
    };
    let suite = match header[4] {
        0 => SuiteTag::Pedersen,
        1 => SuiteTag::Poseidon,
        got => return Err(wrong("suite", got.into(), "0 or 1".to_owned())),
    };
    let form = NativeForm::of(header[5])
        .ok_or_else(|| wrong("form", header[5].into(), "from 0 to 3".to_owned()))?;
    let number = |from: usize, to: usize| {
        let bytes = header[from..to].iter();
        bytes.fold(0, |sum, byte| sum << 8 | usize::from(*byte))
    };
    let counts = [number(6, 8), number(8, 12), number(12, 16)];
    for ((field, least, most), got) in form.counts().into_iter().zip(counts) {
        if got < least || got > most {
            let must = match (least, most) {
                (least, most) if least == most => format!("{least}"),
                (least, most) => format!("from {least} to {most}"),
            };
            return Err(wrong(field, got, must));
        }
    }
    Ok((suite, form, counts))
}

/// The length in bytes of a tail with these numbers of keys, words and proofs.
fn length([vks, words, proofs]: [usize; 3]) -> usize {
    HEADER_BYTES + DIGEST_BYTES * vks + 32 * words + PROOF_BYTES * proofs
}
