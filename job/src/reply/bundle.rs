//! A whole rollup in one reply: the broadcast data, and the proofs of the root rollup
//! and all inner rollups.

use std::fmt::Display;

use bytes::{BufMut, Bytes, BytesMut};

use super::{
    MAX_PROOFS, MAX_VKS, MAX_WORDS, NativeForm, NativeProof, ReplyError, SuiteTag, broadcast_bytes,
    shape::{BROADCAST_HEADER, INNER_HEADER, TX},
    tx_rollup_fields,
    words::WordReader,
};
use crate::{Sizes, Word, limits};

const INTERACTIONS: usize = limits::BRIDGES as usize;
const INTERACTION: usize = 6;
/// log2 of the largest evaluation domain of BN254's scalar field.
const MAX_DOMAIN_LOG2: usize = 28;
/// The place of the rollup's number of slots in the broadcast header.
const SLOTS: usize = 1;

/// The reply to a root rollup or root verifier request: broadcast data, then a
/// native tail of form [`NativeForm::Rollup`].
///
/// The tail's keys: the root rollup's own, then those of the inner rollups in
/// the order in which they first appear, each once. Its words:
///
/// ```text
/// txs per inner rollup ‖ inner rollups per root rollup ‖ d ‖ n
/// n × ( 108 header words of the inner rollup
///     ‖ form of its tail (1 or 2)
///     ‖ v ‖ v × place of a key among the bundle's
///     ‖ w ‖ w × word of its tail
///     ‖ p )
/// 32 × 6 words of the interaction notes: bridge call data, total input,
///        total outputs a and b, nonce, result; unused notes are zeros
/// ```
///
/// The tail's proofs: the root rollup's, then the p proofs of each inner rollup, in
/// order. 2^d is the largest domain of the circuits that prove an inner rollup, which
/// determines how the rollup was divided into circuits. n is the number of inner
/// rollups. Together with the broadcast data the bundle contains the whole reply of
/// each inner rollup, byte for byte. A bundle has one encoding; [`Bundle::parse`]
/// refuses any other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The sizes of the rollup.
    pub sizes: Sizes,
    /// log2 of the largest domain of the circuits that prove an inner rollup.
    pub domain_log2: u32,
    /// The broadcast data.
    pub broadcast: Vec<Word>,
    /// The suite of all statements of the rollup.
    pub suite: SuiteTag,
    /// BLAKE3 of the root rollup's verification key.
    pub vk: [u8; 32],
    /// The root rollup's proof.
    pub proof: [u8; 128],
    /// The inner rollups.
    pub inners: Vec<BundledInner>,
    /// The interactions that the rollup settles, filled up with zeros.
    pub interactions: Vec<[Word; INTERACTION]>,
}

/// An inner rollup of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundledInner {
    /// The 108 published fields before the transactions.
    pub header: Vec<Word>,
    /// The part of the inner rollup's reply after the published fields.
    pub tail: NativeProof,
}

impl Bundle {
    /// Reads a whole reply.
    pub fn parse(reply: &[u8]) -> Result<Self, ReplyError> {
        let slots = slots(reply)?;
        let (broadcast, tail) = split(reply, BROADCAST_HEADER + TX * slots)?;
        let native = NativeProof::parse(tail)?;
        if native.form != NativeForm::Rollup {
            let form = native.form as u8;
            let why =
                format_args!("the tail behind the broadcast data is of form {form}, must be 3");
            return Err(ReplyError::new(why));
        }
        let mut words = WordReader::new(&native.words);
        let sizes = sizes(&mut words, slots)?;
        let name = format_args!("log2 of the largest domain");
        let domain = words.number(name, 0, MAX_DOMAIN_LOG2)?;
        let most = sizes.inners_per_root() as usize;
        let n = words.number(format_args!("number of inner rollups"), 1, most)?;
        let (proof, mut proofs) = native.proofs.split_first().expect("a tail has a proof");
        let mut inners = Vec::new();
        for at in 0..n {
            inners.push(BundledInner::read(at, &mut words, &native, &mut proofs)?);
        }
        let interactions = words.take(INTERACTIONS * INTERACTION, format_args!("interactions"))?;
        words.end()?;
        if !proofs.is_empty() {
            let got = native.proofs.len();
            let must = got - proofs.len();
            return Err(refused(format_args!("{got} proofs, its parts have {must}")));
        }
        let bundle = Self {
            sizes,
            domain_log2: u32::try_from(domain).expect("at most 28"),
            broadcast,
            suite: native.suite,
            vk: native.vks[0],
            proof: *proof,
            inners,
            interactions: interactions.as_chunks().0.to_vec(),
        };
        if bundle.to_bytes()? != reply {
            return Err(refused("not the one encoding of its parts"));
        }
        Ok(bundle)
    }

    /// Encodes the whole reply.
    ///
    /// # Panics
    /// If the length of the broadcast data does not match the sizes.
    pub fn to_bytes(&self) -> Result<Bytes, ReplyError> {
        assert_eq!(32 * self.broadcast.len(), broadcast_bytes(self.sizes));
        let mut vks = vec![self.vk];
        let number = |number: usize| Word::from(number as u64);
        let mut words = vec![
            Word::from(u64::from(self.sizes.txs_per_inner())),
            Word::from(u64::from(self.sizes.inners_per_root())),
            Word::from(u64::from(self.domain_log2)),
            number(self.inners.len()),
        ];
        let mut proofs = vec![self.proof];
        for (at, inner) in self.inners.iter().enumerate() {
            let form = [NativeForm::TxRollup, NativeForm::TxRollupChain];
            if !form.contains(&inner.tail.form) || inner.tail.suite != self.suite {
                let why = "is no tx rollup's of the bundle's suite";
                return Err(refused(format_args!("the tail of inner rollup {at} {why}")));
            }
            words.extend(&inner.header);
            words.push(number(inner.tail.form as usize));
            words.push(number(inner.tail.vks.len()));
            words.extend(inner.tail.vks.iter().map(|vk| number(place(&mut vks, vk))));
            words.push(number(inner.tail.words.len()));
            words.extend(&inner.tail.words);
            words.push(number(inner.tail.proofs.len()));
            proofs.extend(&inner.tail.proofs);
        }
        words.extend(self.interactions.as_flattened());
        fits("verification keys", vks.len(), MAX_VKS)?;
        fits("words", words.len(), MAX_WORDS)?;
        fits("proofs", proofs.len(), MAX_PROOFS)?;
        let tail = NativeProof {
            suite: self.suite,
            form: NativeForm::Rollup,
            vks,
            words,
            proofs,
        };
        let tail = tail.to_bytes();
        let got = 32 * self.broadcast.len() + tail.len();
        fits("bytes", got, limits::REPLY_BYTES)?;
        let mut out = BytesMut::with_capacity(got);
        for word in &self.broadcast {
            out.put_slice(&word.0);
        }
        out.put_slice(&tail);
        Ok(out.freeze())
    }

    /// The published fields of the inner rollup at place `at`.
    ///
    /// # Panics
    /// If the bundle has no inner rollup at this place.
    pub fn inner_fields(&self, at: usize) -> Vec<Word> {
        let words = TX * self.sizes.slots() as usize;
        let mut fields = self.inners[at].header.clone();
        fields.extend(&self.broadcast[BROADCAST_HEADER + words * at..][..words]);
        fields
    }

    /// The reply of the inner rollup at place `at`, byte for byte.
    ///
    /// # Panics
    /// If the bundle has no inner rollup at this place.
    pub fn inner_reply(&self, at: usize) -> Bytes {
        let fields = self.inner_fields(at);
        let fields = fields.iter().flat_map(|word| word.0);
        fields.chain(self.inners[at].tail.to_bytes()).collect()
    }
}

impl BundledInner {
    /// Reads an inner rollup from its whole reply at the given sizes.
    pub fn of_reply(reply: &[u8], sizes: Sizes) -> Result<Self, ReplyError> {
        let (mut header, tail) = split(reply, tx_rollup_fields(sizes.slots()))?;
        header.truncate(INNER_HEADER);
        let tail = NativeProof::parse(tail)?;
        Ok(Self { header, tail })
    }

    fn read(
        at: usize,
        words: &mut WordReader<'_>,
        bundle: &NativeProof,
        proofs: &mut &[[u8; 128]],
    ) -> Result<Self, ReplyError> {
        let inner = format_args!("inner rollup {at}");
        let header = words.take(INNER_HEADER, format_args!("{inner}: header"))?;
        let form = match words.number(format_args!("{inner}: form"), 1, 2)? {
            1 => NativeForm::TxRollup,
            _ => NativeForm::TxRollupChain,
        };
        let count = words.number(format_args!("{inner}: number of keys"), 1, MAX_VKS)?;
        let mut vks = Vec::new();
        for _ in 0..count {
            let most = bundle.vks.len() - 1;
            let place = words.number(format_args!("{inner}: place of a key"), 0, most)?;
            vks.push(bundle.vks[place]);
        }
        let count = words.number(format_args!("{inner}: number of words"), 0, MAX_WORDS)?;
        let own = words.take(count, format_args!("{inner}: words"))?;
        let most = proofs.len();
        let count = words.number(format_args!("{inner}: number of proofs"), 1, most)?;
        let (first, rest) = proofs.split_at(count);
        *proofs = rest;
        Ok(Self {
            header: header.to_vec(),
            tail: NativeProof {
                suite: bundle.suite,
                form,
                vks,
                words: own.to_vec(),
                proofs: first.to_vec(),
            },
        })
    }
}

/// Reads the rollup's number of tx slots from the header of the broadcast data.
fn slots(reply: &[u8]) -> Result<usize, ReplyError> {
    let (words, _) = reply.as_chunks::<32>();
    let word = words.get(SLOTS).copied().map(Word);
    let word = word.ok_or_else(|| too_short(reply, BROADCAST_HEADER))?;
    let most = u64::from((limits::TXS * limits::INNERS).next_power_of_two());
    let slots = word.to_u64().filter(|n| n.is_power_of_two() && *n <= most);
    slots.map(|slots| slots as usize).ok_or_else(|| {
        ReplyError::new(format_args!(
            "the rollup's size is {word}, must be a power of two up to {most}"
        ))
    })
}

fn sizes(words: &mut WordReader<'_>, got: usize) -> Result<Sizes, ReplyError> {
    let mut number = |name, most: u32| {
        let number = words.number(format_args!("{name}"), 1, most as usize)?;
        Ok::<u32, ReplyError>(u32::try_from(number).expect("below its limit"))
    };
    let txs = number("txs per inner rollup", limits::TXS)?;
    let inners = number("inner rollups per root rollup", limits::INNERS)?;
    let sizes = Sizes::new(txs, inners).map_err(refused)?;
    let must = sizes.rollup_slots() as usize;
    if must == got {
        return Ok(sizes);
    }
    Err(refused(format_args!(
        "rollups of {sizes} have {must} slots, the broadcast data has {got}"
    )))
}

/// Splits a reply into the words at its start and the tail after them.
fn split(reply: &[u8], words: usize) -> Result<(Vec<Word>, &[u8]), ReplyError> {
    let (fields, tail) = reply
        .split_at_checked(32 * words)
        .ok_or_else(|| too_short(reply, words))?;
    Ok((Word::all(fields), tail))
}

fn too_short(reply: &[u8], words: usize) -> ReplyError {
    let (got, must) = (reply.len(), 32 * words);
    ReplyError::new(format_args!(
        "{got} bytes are no rollup: its broadcast data alone has {must}"
    ))
}

fn fits(what: &str, got: usize, most: usize) -> Result<(), ReplyError> {
    if got <= most {
        return Ok(());
    }
    Err(refused(format_args!("{got} {what}, at most {most} fit")))
}

fn refused(why: impl Display) -> ReplyError {
    ReplyError::new(format_args!("bundle: {why}"))
}

/// Returns the place of a key in a list; a new key is added at the end.
fn place(vks: &mut Vec<[u8; 32]>, vk: &[u8; 32]) -> usize {
    vks.iter().position(|known| known == vk).unwrap_or_else(|| {
        vks.push(*vk);
        vks.len() - 1
    })
}
