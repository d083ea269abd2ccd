//! The published words of a root rollup: its broadcast data, and the words
//! after it that the public input covers.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use thiserror::Error;

use super::{BROADCAST_HEADER, INTERACTION_WORDS, INTERACTIONS, InnerFields, RootSize};
use crate::error::{CountError, StatementError};
use crate::field;
use crate::published::{FIELDS_PER_TX, Published, inputs_hash, place, wide_bridge};

/// Index of the settled interactions' hash in the broadcast header.
pub(super) const PREVIOUS_DEFI_HASH: usize = 139;

/// The words of an interaction note: bridge call data, total input, total
/// outputs a and b, nonce, result. All words of a missing note are zero.
pub type Interaction = [Fr; INTERACTION_WORDS];

/// All published words of a root rollup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broadcast {
    size: RootSize,
    header: Vec<Fr>,
    pub(super) inners: Vec<InnerFields>,
    /// The settled interactions, filled up with zeros.
    pub(super) interactions: Vec<Interaction>,
}

/// Why words do not belong to a valid rollup.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BroadcastError {
    /// Too few or too many broadcast words or interaction notes.
    #[error(transparent)]
    Count(#[from] CountError),
    /// There is no inner rollup, or more than fit.
    #[error("{got} inner rollups, expected 1 to {most}")]
    Inners {
        /// Number of inner rollups.
        got: usize,
        /// Number of inner rollups that fit.
        most: usize,
    },
    /// A word is not below the modulus.
    #[error("broadcast word {0} is not a canonical field element")]
    NotCanonical(usize),
    /// A word of an interaction note is not below the modulus.
    #[error("interaction note {0} has a word that is not a canonical field element")]
    Interaction(usize),
    /// The words of an inner rollup are invalid.
    #[error(transparent)]
    Inner(#[from] StatementError),
    /// A bridge call data has more than 250 bits.
    #[error("broadcast word {0} is out of range")]
    Range(usize),
    /// The words of a slot without a tx are not zero.
    #[error("broadcast word {0} should be zero: there is no inner rollup")]
    Padding(usize),
    /// The previous defi interaction hash is not that of the settled interactions.
    #[error("the previous defi interaction hash is not that of the interaction notes")]
    PreviousDefiHash,
}

impl Broadcast {
    /// # Panics
    /// If the header's length is wrong.
    pub(super) fn new(
        size: RootSize,
        header: Vec<Fr>,
        inners: Vec<InnerFields>,
        interactions: Vec<Interaction>,
    ) -> Self {
        assert_eq!(header.len(), BROADCAST_HEADER);
        Self {
            size,
            header,
            inners,
            interactions,
        }
    }

    /// Reads broadcast data, with the headers of the inner rollups and the
    /// interaction notes after it, and checks what the circuit leaves to the
    /// verifier of words: canonical words, the ranges of bridge call datas,
    /// both kinds of SHA-256 (inputs hashes and previous defi interaction
    /// hash), and zeros in slots without an inner rollup. The public input
    /// binds everything else.
    pub fn read(
        size: RootSize,
        words: &[[u8; 32]],
        inner_headers: &[Vec<[u8; 32]>],
        interactions: &[[[u8; 32]; INTERACTION_WORDS]],
    ) -> Result<Self, BroadcastError> {
        let slot_words = FIELDS_PER_TX * size.slots as usize;
        let expected = BROADCAST_HEADER + FIELDS_PER_TX * size.total_slots();
        CountError::check("broadcast words", words.len(), expected)?;
        CountError::check("interaction notes", interactions.len(), INTERACTIONS)?;
        let (got, most) = (inner_headers.len(), size.inners as usize);
        if !(1..=most).contains(&got) {
            return Err(BroadcastError::Inners { got, most });
        }
        let (header, txs) = words.split_at(BROADCAST_HEADER);
        let (txs, padding) = txs.split_at(slot_words * got);
        if let Some(at) = padding.iter().position(|word| *word != [0; 32]) {
            return Err(BroadcastError::Padding(BROADCAST_HEADER + txs.len() + at));
        }
        let inners = inner_headers.iter().zip(txs.chunks(slot_words));
        let inners = inners.enumerate().map(|(at, (header, txs))| {
            let inner = InnerFields::read(header, txs);
            inner.map_err(|problem| StatementError::Inner { at, problem })
        });
        let inners = inners.collect::<Result<_, _>>()?;
        let header = field::from_words(header).map_err(BroadcastError::NotCanonical)?;
        if let Some(at) = wide_bridge(&header) {
            return Err(BroadcastError::Range(at));
        }
        let interactions = interactions.iter().enumerate().map(interaction);
        let interactions: Vec<Interaction> = interactions.collect::<Result<_, _>>()?;
        if previous_defi_hash(&interactions) != header[PREVIOUS_DEFI_HASH] {
            return Err(BroadcastError::PreviousDefiHash);
        }
        Ok(Self::new(size, header, inners, interactions))
    }

    /// Returns the 142 words before the txs.
    pub fn header(&self) -> &[Fr] {
        &self.header
    }

    /// Returns the broadcast data.
    pub fn words(&self) -> Vec<[u8; 32]> {
        let txs = self.inners.iter().flat_map(|inner| &inner.txs);
        let mut words: Vec<[u8; 32]> = self.header.iter().chain(txs).map(field::to_word).collect();
        let slots = FIELDS_PER_TX * self.size.total_slots();
        words.resize(BROADCAST_HEADER + slots, [0; 32]);
        words
    }

    /// Returns the only public input of the original's root rollup: the
    /// SHA-256, modulo p, of the header and of the inputs hash of each inner
    /// rollup, padding included.
    pub(crate) fn input_hash(&self) -> Fr {
        let empty = inputs_hash(&vec![Fr::ZERO; FIELDS_PER_TX * self.size.slots as usize]);
        let mut words = self.header.clone();
        let hashes = self
            .inners
            .iter()
            .map(|inner| inner.header[place::INPUTS_HASH]);
        words.extend(hashes);
        words.resize(BROADCAST_HEADER + self.size.padded_inners(), empty);
        inputs_hash(&words)
    }

    /// Returns the statement's published fields.
    pub fn published(&self) -> Published {
        let mut fields = vec![self.input_hash()];
        fields.extend(&self.header);
        for at in 0..self.size.inners as usize {
            match self.inners.get(at) {
                Some(inner) => fields.extend(&inner.header[..place::INPUTS_HASH]),
                None => fields.extend([Fr::ZERO; place::INPUTS_HASH]),
            }
        }
        fields.extend(self.interactions.as_flattened());
        Published::new(self.size, fields, Vec::new())
    }
}

/// Returns the SHA-256 of the SHA-256s of the interaction notes, each modulo p.
/// The hash of a note has the nonce in second place.
pub(super) fn previous_defi_hash(interactions: &[Interaction]) -> Fr {
    let hash = |[bridge, input, output_a, output_b, nonce, result]: &Interaction| {
        inputs_hash(&[*bridge, *nonce, *input, *output_a, *output_b, *result])
    };
    inputs_hash(&interactions.iter().map(hash).collect::<Vec<_>>())
}

fn interaction(
    (at, words): (usize, &[[u8; 32]; INTERACTION_WORDS]),
) -> Result<Interaction, BroadcastError> {
    let words = field::from_words(words).map_err(|_| BroadcastError::Interaction(at))?;
    Ok(words.try_into().expect("as many elements as words"))
}
