//! The published fields of a statement, and its one public input, which is their hash.
//!
//! The fields stand in the reply in place of the original's public inputs. In
//! both suites the public input is a Poseidon chain over them. The chain leaves
//! out two SHA-256s of other published words, which a verifier recomputes: the
//! tx rollup's `inputs_hash` ([`Published::from_words`]) and the root rollup's
//! previous defi interaction hash ([`crate::root_rollup::Broadcast::read`]). A
//! tx rollup's chain ends with the client digest of each slot.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use sha2::{Digest, Sha256};

use crate::error::CountError;
use crate::field;
use crate::gadgets;
use crate::poseidon;
use crate::r1cs::{Builder, Num};
use crate::statement::definition::Statement;

pub use crate::error::PublishedError;

/// Number of published fields of a client's statement: join-split, account or claim.
pub const CLIENT_FIELDS: usize = 16;
/// Number of published fields of a tx rollup before the fields of its txs.
pub(crate) const TX_ROLLUP_HEADER: usize = 108;
/// Number of published fields of each tx slot.
pub const FIELDS_PER_TX: usize = 8;
/// Number of bridge call datas, and of deposit sums, in a rollup.
pub const BRIDGES: usize = 32;
/// Number of fee assets in an inner rollup.
pub const ASSETS: usize = 16;
/// The value of an unused fee asset.
pub const NO_ASSET: u64 = 1 << 30;
/// Length of bridge call data in a rollup, in bits.
pub(crate) const ROLLUP_BRIDGE_BITS: usize = 250;

/// The tag at the start of the chain over the state between segments. The tags
/// of statements are [`Statement::TAG`].
pub(crate) const RUNNING_STATE_TAG: u64 = 9;

/// Indexes of fields in a tx rollup's published fields.
#[expect(missing_docs, reason = "the names are those of the reply's layout")]
pub mod place {
    pub(crate) const ROLLUP_ID: usize = 0;
    pub(crate) const SLOTS: usize = 1;
    pub const DATA_START_INDEX: usize = 2;
    pub const OLD_DATA_ROOT: usize = 3;
    pub(crate) const NEW_DATA_ROOT: usize = 4;
    pub const OLD_NULL_ROOT: usize = 5;
    pub(crate) const NEW_NULL_ROOT: usize = 6;
    pub(crate) const OLD_DATA_ROOTS_ROOT: usize = 7;
    pub(crate) const NEW_DATA_ROOTS_ROOT: usize = 8;
    pub(crate) const OLD_DEFI_ROOT: usize = 9;
    pub(crate) const NEW_DEFI_ROOT: usize = 10;
    pub const BRIDGES: usize = 11;
    pub const DEPOSIT_SUMS: usize = 43;
    pub const ASSETS: usize = 75;
    pub const FEES: usize = 91;
    pub const INPUTS_HASH: usize = 107;
    pub const TXS: usize = super::TX_ROLLUP_HEADER;
}

/// Number of fields that one hash of the chain absorbs, besides the running state.
const RATE: usize = poseidon::MAX_INPUTS - 1;

/// The published fields of one statement, in the order of the original reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    tag: u64,
    left_out: Option<usize>,
    fields: Vec<Fr>,
    clients: Vec<Fr>,
}

impl Published {
    /// # Panics
    /// If the number of fields or of client digests does not fit the statement.
    pub(crate) fn new<S: Statement>(statement: S, fields: Vec<Fr>, clients: Vec<Fr>) -> Self {
        assert_eq!(fields.len(), statement.fields(), "fields of a {}", S::NAME);
        assert_eq!(clients.len(), statement.slots(), "digests of a {}", S::NAME);
        Self {
            tag: S::TAG,
            left_out: S::LEFT_OUT,
            fields,
            clients,
        }
    }

    /// Reads published words and checks them as a verifier does.
    pub(crate) fn read<S: Statement>(
        statement: S,
        words: &[[u8; 32]],
        clients: &[Fr],
    ) -> Result<Self, PublishedError> {
        CountError::check("published fields", words.len(), statement.fields())?;
        CountError::check("client digests", clients.len(), statement.slots())?;
        let fields = field::from_words(words).map_err(PublishedError::NotCanonical)?;
        statement.check_words(&fields)?;
        Ok(Self::new(statement, fields, clients.to_vec()))
    }

    /// Returns the fields in the reply's order.
    pub fn fields(&self) -> &[Fr] {
        &self.fields
    }

    /// Returns the fields as the reply's words.
    pub fn to_words(&self) -> Vec<[u8; 32]> {
        self.fields.iter().map(field::to_word).collect()
    }

    /// Returns the client digests of a tx rollup, one per slot.
    pub fn clients(&self) -> &[Fr] {
        &self.clients
    }

    /// Computes the statement's public input.
    pub fn public_input(&self) -> Fr {
        let mut hashed = [&self.fields[..], &self.clients].concat();
        let start = start(self.tag, hashed.len());
        if let Some(place) = self.left_out {
            hashed.remove(place);
        }
        fold(start, &hashed)
    }
}

/// Returns the index of the first bridge call data that has more than 250 bits,
/// in the header of an inner rollup or of a root rollup's broadcast data.
pub(crate) fn wide_bridge(header: &[Fr]) -> Option<usize> {
    let mut bridges = place::BRIDGES..place::BRIDGES + BRIDGES;
    bridges.find(|at| !field::fits(&header[*at], ROLLUP_BRIDGE_BITS))
}

/// Checks the published words of an inner rollup as every verifier does: the
/// range of bridge call datas, and the inputs hash by SHA-256.
pub(crate) fn check_tx_words(header: &[Fr], txs: &[Fr]) -> Result<(), PublishedError> {
    if let Some(at) = wide_bridge(header) {
        return Err(PublishedError::Range(at));
    }
    if inputs_hash(txs) != header[place::INPUTS_HASH] {
        return Err(PublishedError::InputsHash);
    }
    Ok(())
}

/// Returns the list extended with `filler` to its published length.
pub(crate) fn padded(list: &[Fr], length: usize, filler: Fr) -> Vec<Fr> {
    let mut list = list.to_vec();
    list.resize(length, filler);
    list
}

/// Returns the SHA-256 of the words of some fields, reduced modulo p.
pub fn inputs_hash(fields: &[Fr]) -> Fr {
    let mut hasher = Sha256::new();
    for value in fields {
        hasher.update(field::to_word(value));
    }
    field::reduce(&hasher.finalize().into())
}

/// Returns the chain over some fields: `s ← Poseidon(s, 11 fields)`. The initial
/// value encodes the tag and the number of fields; zeros fill up the last hash.
pub(crate) fn hash_chain(tag: u64, fields: &[Fr]) -> Fr {
    fold(start(tag, fields.len()), fields)
}

fn fold(start: Fr, fields: &[Fr]) -> Fr {
    fields.chunks(RATE).fold(start, |state, chunk| {
        let mut inputs = [Fr::ZERO; poseidon::MAX_INPUTS];
        inputs[0] = state;
        inputs[1..=chunk.len()].copy_from_slice(chunk);
        poseidon::hash(&inputs)
    })
}

/// [`hash_chain`] as rows (constraints); the initial value may be a witness variable.
pub(crate) fn chain_rows(b: &mut Builder, start: Num, fields: &[Num]) -> Num {
    fields.chunks(RATE).fold(start, |state, chunk| {
        let mut inputs = vec![state];
        inputs.extend_from_slice(chunk);
        inputs.resize_with(poseidon::MAX_INPUTS, Num::zero);
        gadgets::poseidon::hash(b, &inputs)
    })
}

/// [`Published::public_input`] as rows: publishes the public input, and returns
/// it for the rules that depend on it, such as signatures. `fields` are the
/// published fields followed by the client digests.
pub(crate) fn publish<S: Statement>(b: &mut Builder, mut fields: Vec<Num>) -> Num {
    b.part("public input", |b| {
        let start = start(S::TAG, fields.len());
        if let Some(place) = S::LEFT_OUT {
            fields.remove(place);
        }
        let public = chain_rows(b, Num::constant(start), &fields);
        b.publish(&public);
        public
    })
}

/// Returns the initial value of a chain of `count` fields.
pub(crate) fn start(tag: u64, count: usize) -> Fr {
    Fr::from(tag << 32 | count as u64)
}
