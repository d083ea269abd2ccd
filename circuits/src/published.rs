//! The published fields of a statement and the one public input they hash to.
//!
//! The fields stand in the reply where the original reply's public inputs
//! stand. The public input is a Poseidon chain over all of them, in both
//! suites, except the tx rollup's `inputs_hash`: that is a SHA-256 of other
//! published fields, which [`Published::from_words`] recomputes.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::circuit::StatementKind;
use crate::field;
use crate::gadgets::hash::public_hash;
use crate::poseidon;
use crate::r1cs::{Builder, Num};

/// Published fields of a claim, of a join-split and of an account tx.
pub const CLAIM_FIELDS: usize = 16;
/// Published fields of a tx rollup before those of its txs.
pub const TX_ROLLUP_HEADER: usize = 108;
/// Published fields of each tx slot.
pub const FIELDS_PER_TX: usize = 8;
/// Bridge call datas, and deposit sums, of a rollup.
pub const BRIDGES: usize = 32;
/// Fee assets of an inner rollup.
pub const ASSETS: usize = 16;
/// Marks an unused fee asset.
pub const NO_ASSET: u64 = 1 << 30;
/// Bits of bridge call data in a rollup.
pub(crate) const ROLLUP_BRIDGE_BITS: usize = 250;

/// Places in a tx rollup's published fields.
#[expect(missing_docs, reason = "the names are those of the reply's layout")]
pub mod place {
    pub const ROLLUP_ID: usize = 0;
    pub const SLOTS: usize = 1;
    pub const DATA_START_INDEX: usize = 2;
    pub const OLD_DATA_ROOT: usize = 3;
    pub const NEW_DATA_ROOT: usize = 4;
    pub const OLD_NULL_ROOT: usize = 5;
    pub const NEW_NULL_ROOT: usize = 6;
    pub const OLD_DATA_ROOTS_ROOT: usize = 7;
    pub const NEW_DATA_ROOTS_ROOT: usize = 8;
    pub const OLD_DEFI_ROOT: usize = 9;
    pub const NEW_DEFI_ROOT: usize = 10;
    pub const BRIDGES: usize = 11;
    pub const DEPOSIT_SUMS: usize = 43;
    pub const ASSETS: usize = 75;
    pub const FEES: usize = 91;
    pub const INPUTS_HASH: usize = 107;
    pub const TXS: usize = super::TX_ROLLUP_HEADER;
}

/// Fields that one hash of the chain absorbs, next to the running state.
const RATE: usize = poseidon::MAX_INPUTS - 1;

/// The published fields of one statement, in the order of the original reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    kind: StatementKind,
    fields: Vec<Fr>,
}

/// Published words that cannot belong to a valid statement of their kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PublishedError {
    /// Too few or too many.
    #[error("{got} published fields, expected {expected}")]
    Count {
        /// How many there are.
        got: usize,
        /// How many the statement has.
        expected: usize,
    },
    /// A word is not below the modulus.
    #[error("published field {0} is not a canonical field element")]
    NotCanonical(usize),
    /// A bridge call data does not fit 250 bits.
    #[error("published field {0} is out of range")]
    Range(usize),
    /// The inputs hash is not that of the published txs.
    #[error("inputs hash is not the SHA-256 of the published txs")]
    InputsHash,
}

impl Published {
    /// # Panics
    /// If the number of fields is not the statement's.
    pub(crate) fn new(kind: StatementKind, fields: Vec<Fr>) -> Self {
        assert_eq!(fields.len(), kind.published_fields(), "fields of {kind}");
        Self { kind, fields }
    }

    /// Reads published words and checks what the circuit leaves to its
    /// verifier: canonical words, the range of bridge call datas and, by
    /// SHA-256, the inputs hash. Everything else is bound by the public input.
    pub fn from_words(kind: StatementKind, words: &[[u8; 32]]) -> Result<Self, PublishedError> {
        let expected = kind.published_fields();
        if words.len() != expected {
            return Err(PublishedError::Count {
                got: words.len(),
                expected,
            });
        }
        let read = |(at, word)| field::from_word(word).ok_or(PublishedError::NotCanonical(at));
        let fields: Vec<Fr> = words
            .iter()
            .enumerate()
            .map(read)
            .collect::<Result<_, _>>()?;
        if let StatementKind::TxRollup { .. } = kind {
            let bridges = place::BRIDGES..place::BRIDGES + BRIDGES;
            let wide = bridges
                .into_iter()
                .find(|at| !field::fits(&fields[*at], ROLLUP_BRIDGE_BITS));
            if let Some(at) = wide {
                return Err(PublishedError::Range(at));
            }
            if inputs_hash(&fields[place::TXS..]) != fields[place::INPUTS_HASH] {
                return Err(PublishedError::InputsHash);
            }
        }
        Ok(Self { kind, fields })
    }

    /// The statement's kind.
    pub fn kind(&self) -> StatementKind {
        self.kind
    }

    /// The fields in the reply's order.
    pub fn fields(&self) -> &[Fr] {
        &self.fields
    }

    /// The fields as the reply's words.
    pub fn to_words(&self) -> Vec<[u8; 32]> {
        self.fields.iter().map(field::to_word).collect()
    }

    /// The statement's public input.
    pub fn public_input(&self) -> Fr {
        public_input(self.kind, &self.fields)
    }
}

/// SHA-256 of the words of some fields, reduced modulo p.
pub fn inputs_hash(fields: &[Fr]) -> Fr {
    let mut hasher = Sha256::new();
    for value in fields {
        hasher.update(field::to_word(value));
    }
    field::reduce(&hasher.finalize().into())
}

/// The public input of some published fields: `s ← Poseidon(s, 11 fields)`
/// from a start that names the kind and the number of fields; the last hash
/// is filled with zeros.
pub fn public_input(kind: StatementKind, fields: &[Fr]) -> Fr {
    let hashed = hashed(kind, fields);
    hashed
        .chunks(RATE)
        .fold(domain(kind, fields.len()), |state, chunk| {
            let mut inputs = [Fr::ZERO; poseidon::MAX_INPUTS];
            inputs[0] = state;
            inputs[1..=chunk.len()].copy_from_slice(chunk);
            poseidon::hash(&inputs)
        })
}

/// [`public_input`] in rows; gives it for what else depends on it.
pub(crate) fn publish(b: &mut Builder, kind: StatementKind, fields: &[Num]) -> Num {
    let start = Num::constant(domain(kind, fields.len()));
    let hashed = hashed(kind, fields);
    let public = hashed.chunks(RATE).fold(start, |state, chunk| {
        let mut inputs = vec![state];
        inputs.extend_from_slice(chunk);
        inputs.resize_with(poseidon::MAX_INPUTS, Num::zero);
        public_hash(b, &inputs)
    });
    b.publish(&public);
    public
}

fn domain(kind: StatementKind, count: usize) -> Fr {
    let tag: u64 = match kind {
        StatementKind::Claim => 1,
        StatementKind::TxRollup { .. } => 2,
        StatementKind::JoinSplit => 3,
        StatementKind::Account => 4,
    };
    Fr::from(tag << 32 | count as u64)
}

fn hashed<T: Clone>(kind: StatementKind, fields: &[T]) -> Vec<T> {
    let mut hashed = fields.to_vec();
    if let StatementKind::TxRollup { .. } = kind {
        hashed.remove(place::INPUTS_HASH);
    }
    hashed
}
