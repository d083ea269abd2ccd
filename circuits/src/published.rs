//! The published fields of a statement and the one public input they hash to.
//!
//! The fields stand in the reply where the original reply's public inputs
//! stand. The public input is a Poseidon chain over all of them, in both
//! suites, except two SHA-256s of other published words, which whoever reads
//! them recomputes: the tx rollup's `inputs_hash` ([`Published::from_words`])
//! and the root rollup's previous defi interaction hash
//! ([`crate::root_rollup::Broadcast::read`]). A tx rollup's chain ends with the
//! client digest of each slot.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::field;
use crate::gadgets::hash::public_hash;
use crate::poseidon;
use crate::r1cs::{Builder, Num};
use crate::root_rollup::header;
use crate::statement::StatementKind;

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

/// The numbers that start a chain: what its fields are.
#[expect(missing_docs, reason = "the names are those of the statements")]
pub mod tag {
    pub const CLAIM: u64 = 1;
    pub const TX_ROLLUP: u64 = 2;
    pub const JOIN_SPLIT: u64 = 3;
    pub const ACCOUNT: u64 = 4;
    pub const TX_SEGMENT: u64 = 5;
    pub const NULLIFIERS: u64 = 6;
    pub const NOTES: u64 = 7;
    pub const ROOT_ROLLUP: u64 = 8;
    /// What the segments of a tx rollup hand on; inside their public inputs.
    pub const RUNNING_STATE: u64 = 9;
}

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
    clients: Vec<Fr>,
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
    /// Too few or too many client digests.
    #[error("{got} client digests, expected {expected}")]
    Clients {
        /// How many there are.
        got: usize,
        /// How many the statement has: one a slot.
        expected: usize,
    },
    /// A word is not below the modulus.
    #[error("published field {0} is not a canonical field element")]
    NotCanonical(usize),
    /// A bridge call data does not fit 250 bits.
    #[error("published field {0} is out of range")]
    Range(usize),
    /// The fields of a root rollup are read with its txs, by [`Broadcast::read`].
    ///
    /// [`Broadcast::read`]: crate::root_rollup::Broadcast::read
    #[error("a root rollup's published fields do not stand alone")]
    NotAlone,
    /// A field that is the same in every statement has another value.
    #[error("published field {0} has not its fixed value")]
    Fixed(usize),
    /// The inputs hash is not that of the published txs.
    #[error("inputs hash is not the SHA-256 of the published txs")]
    InputsHash,
}

impl Published {
    /// # Panics
    /// If the number of fields or of client digests is not the statement's.
    pub(crate) fn new(kind: StatementKind, fields: Vec<Fr>, clients: Vec<Fr>) -> Self {
        assert_eq!(fields.len(), kind.published_fields(), "fields of {kind}");
        assert_eq!(clients.len(), kind.slots(), "client digests of {kind}");
        Self {
            kind,
            fields,
            clients,
        }
    }

    /// Reads published words and checks what the circuit leaves to its
    /// verifier: canonical words, the range of bridge call datas and, by
    /// SHA-256, the inputs hash. Everything else is bound by the public input.
    ///
    /// `clients` are the client digests, one a slot, zero for padding; none
    /// for a claim. See [`client_digest`](crate::client::client_digest).
    pub fn from_words(
        kind: StatementKind,
        words: &[[u8; 32]],
        clients: &[Fr],
    ) -> Result<Self, PublishedError> {
        if let StatementKind::RootRollup(_) = kind {
            return Err(PublishedError::NotAlone);
        }
        let (got, expected) = (words.len(), kind.published_fields());
        if got != expected {
            return Err(PublishedError::Count { got, expected });
        }
        let (got, expected) = (clients.len(), kind.slots());
        if got != expected {
            return Err(PublishedError::Clients { got, expected });
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
            check_fixed(kind, &fields)?;
            if inputs_hash(&fields[place::TXS..]) != fields[place::INPUTS_HASH] {
                return Err(PublishedError::InputsHash);
            }
        }
        let clients = clients.to_vec();
        Ok(Self {
            kind,
            fields,
            clients,
        })
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

    /// The client digests of a tx rollup, one a slot.
    pub fn clients(&self) -> &[Fr] {
        &self.clients
    }

    /// The statement's public input.
    pub fn public_input(&self) -> Fr {
        let mut hashed = self.fields.clone();
        hashed.extend(&self.clients);
        let start = start(self.kind.tag(), hashed.len());
        if let Some(place) = left_out(self.kind) {
            hashed.remove(place);
        }
        fold(start, &hashed)
    }
}

/// What a circuit for the whole rollup publishes as constants, and a chain not
/// at all: the number of slots, equal roots of data roots, no old defi root.
fn check_fixed(kind: StatementKind, fields: &[Fr]) -> Result<(), PublishedError> {
    for (at, value) in [
        (place::SLOTS, Fr::from(kind.slots() as u64)),
        (
            place::NEW_DATA_ROOTS_ROOT,
            fields[place::OLD_DATA_ROOTS_ROOT],
        ),
        (place::OLD_DEFI_ROOT, Fr::ZERO),
    ] {
        if fields[at] != value {
            return Err(PublishedError::Fixed(at));
        }
    }
    Ok(())
}

/// SHA-256 of the words of some fields, reduced modulo p.
pub fn inputs_hash(fields: &[Fr]) -> Fr {
    let mut hasher = Sha256::new();
    for value in fields {
        hasher.update(field::to_word(value));
    }
    field::reduce(&hasher.finalize().into())
}

/// The chain of a statement's fields: `s ← Poseidon(s, 11 fields)` from a
/// start that names what they are and how many; the last hash is filled up
/// with zeros. `tag` is one of [`tag`].
pub fn hash_chain(tag: u64, fields: &[Fr]) -> Fr {
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

/// [`hash_chain`] in rows, from a start that may depend on the witness.
pub(crate) fn chain_rows(b: &mut Builder, start: Num, fields: &[Num]) -> Num {
    fields.chunks(RATE).fold(start, |state, chunk| {
        let mut inputs = vec![state];
        inputs.extend_from_slice(chunk);
        inputs.resize_with(poseidon::MAX_INPUTS, Num::zero);
        public_hash(b, &inputs)
    })
}

/// [`Published::public_input`] in rows, published, and given back for what
/// else depends on it. `fields` are the published fields followed by the
/// client digests.
pub(crate) fn publish(b: &mut Builder, kind: StatementKind, mut fields: Vec<Num>) -> Num {
    let start = start(kind.tag(), fields.len());
    if let Some(place) = left_out(kind) {
        fields.remove(place);
    }
    let public = chain_rows(b, Num::constant(start), &fields);
    b.publish(&public);
    public
}

/// Where a chain of `count` fields starts.
pub(crate) fn start(tag: u64, count: usize) -> Fr {
    Fr::from(tag << 32 | count as u64)
}

/// The field that a statement's chain leaves out.
fn left_out(kind: StatementKind) -> Option<usize> {
    match kind {
        StatementKind::TxRollup { .. } => Some(place::INPUTS_HASH),
        // The input hash stands before the header.
        StatementKind::RootRollup(_) => Some(1 + header::PREVIOUS_DEFI_HASH),
        _ => None,
    }
}
