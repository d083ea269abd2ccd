//! Lengths and fields of the original replies.

use bytes::Bytes;

use super::{NativeForm, NativeProof, NativeProofError};
use crate::{Kind, Sizes, Word, limits};

/// Published fields of a claim's reply.
pub const CLAIM_FIELDS: usize = 16;
/// Limbs of the recursive proof that the original appends to the fields.
const RECURSION_LIMBS: usize = 16;
/// A Turbo PLONK proof: 9 commitments of 64 bytes, 25 scalars of 32, 2 opening
/// commitments of 64.
const TURBO_PROOF_BYTES: usize = 1504;
/// The standard PLONK proof of the root verifier.
const STANDARD_PROOF_BYTES: usize = 768;
/// Words of the broadcast data before the transactions.
const BROADCAST_HEADER_WORDS: usize = 142;
/// Published words of a transaction.
const TX_WORDS: usize = 8;

/// Published fields of a tx-rollup's reply with `slots` transaction slots.
pub fn tx_rollup_fields(slots: u32) -> usize {
    108 + TX_WORDS * slots as usize
}

/// Bytes of the broadcast data that starts the replies of the root rollup and
/// of the root verifier.
pub fn broadcast_bytes(sizes: Sizes) -> usize {
    32 * (BROADCAST_HEADER_WORDS + TX_WORDS * sizes.rollup_slots() as usize)
}

/// What a reply of a kind and size looks like when `rollup_cli` makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyShape {
    /// Published fields, 32 bytes each, at the start of the reply.
    pub fields: usize,
    /// The reply's exact length. `None` for verification keys, whose length is
    /// the circuit's own.
    pub bytes: Option<usize>,
}

/// A reply that has not the shape of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// An empty reply: Falafel would read past its end.
    #[error("the reply to a {kind} job is empty")]
    Empty {
        /// The job's kind.
        kind: Kind,
    },
    /// A reply of another length.
    #[error("the reply to a {kind} job has {got} bytes, must have {must}")]
    Length {
        /// The job's kind.
        kind: Kind,
        /// The reply's length.
        got: usize,
        /// What the kind and the sizes demand.
        must: String,
    },
    /// A reply whose fields no native tail follows.
    #[error("the reply to a {kind} job: {source}")]
    Native {
        /// The job's kind.
        kind: Kind,
        /// What is wrong with what follows.
        source: NativeProofError,
    },
    /// A native tail of another kind of reply.
    #[error("the reply to a {kind} job has a native tail of form {got}")]
    Form {
        /// The job's kind.
        kind: Kind,
        /// The tail's form.
        got: u8,
    },
}

impl ReplyShape {
    /// The shape of the reply to a job of `kind` at `sizes`.
    pub fn of(kind: Kind, sizes: Sizes) -> Self {
        let (fields, bytes) = match kind {
            Kind::Claim => (CLAIM_FIELDS, Some(32 * CLAIM_FIELDS + TURBO_PROOF_BYTES)),
            Kind::TxRollup => {
                let fields = tx_rollup_fields(sizes.slots());
                let bytes = 32 * (fields + RECURSION_LIMBS) + TURBO_PROOF_BYTES;
                (fields, Some(bytes))
            }
            Kind::RootRollup => {
                let broadcast = broadcast_bytes(sizes);
                let bytes = broadcast + 32 * (1 + RECURSION_LIMBS) + TURBO_PROOF_BYTES;
                (broadcast / 32, Some(bytes))
            }
            Kind::RootVerifier => {
                let broadcast = broadcast_bytes(sizes);
                let bytes = broadcast + 32 * (1 + RECURSION_LIMBS) + STANDARD_PROOF_BYTES;
                (broadcast / 32, Some(bytes))
            }
            Kind::JoinSplitVk | Kind::AccountVk => (0, None),
        };
        Self { fields, bytes }
    }

    /// Checks a reply of `rollup_cli`'s: the exact length of its kind and size.
    pub fn check(&self, kind: Kind, reply: &[u8]) -> Result<(), ReplyError> {
        if reply.is_empty() {
            return Err(ReplyError::Empty { kind });
        }
        let (holds, must) = match self.bytes {
            Some(bytes) => (reply.len() == bytes, bytes.to_string()),
            None => (
                reply.len() <= limits::VK_BYTES,
                format!("at most {}", limits::VK_BYTES),
            ),
        };
        if holds {
            return Ok(());
        }
        Err(ReplyError::Length {
            kind,
            got: reply.len(),
            must,
        })
    }

    /// Checks a reply of the native engine: its fields, then a tail of a form
    /// that its kind has. Proofs are for their verifier.
    pub fn check_native(&self, kind: Kind, reply: &[u8]) -> Result<(), ReplyError> {
        let fields = 32 * self.fields;
        let Some(tail) = reply.get(fields..) else {
            return Err(ReplyError::Length {
                kind,
                got: reply.len(),
                must: format!("more than the {fields} of its fields"),
            });
        };
        let tail =
            NativeProof::parse(tail).map_err(|source| ReplyError::Native { kind, source })?;
        if forms(kind).contains(&tail.form) {
            return Ok(());
        }
        let got = tail.form as u8;
        Err(ReplyError::Form { kind, got })
    }

    /// What [`ReplyShape::accepts`] demands, in words; `what` the tail is of.
    pub(crate) fn expected(&self, what: &str) -> String {
        let fields = 32 * self.fields;
        let native = format!("{fields} and the native tail of a {what}");
        match self.bytes {
            Some(bytes) => format!("{bytes}, or {native}"),
            None => native,
        }
    }

    /// Whether a reply has the shape of either prover's.
    pub fn accepts(&self, kind: Kind, reply: &[u8]) -> bool {
        self.check(kind, reply).is_ok() || self.check_native(kind, reply).is_ok()
    }
}

/// The forms that the native tail of a reply may have.
fn forms(kind: Kind) -> &'static [NativeForm] {
    match kind {
        Kind::Claim => &[NativeForm::Single],
        Kind::TxRollup => &[NativeForm::TxRollup, NativeForm::TxRollupChain],
        Kind::RootRollup | Kind::RootVerifier => &[NativeForm::Rollup],
        Kind::JoinSplitVk | Kind::AccountVk => &[],
    }
}

/// The first `count` fields of a reply, or `None` when it is shorter.
pub fn fields(reply: &Bytes, count: usize) -> Option<Vec<Word>> {
    let bytes = reply.get(..32 * count)?;
    Some(
        bytes
            .chunks_exact(32)
            .map(|word| Word(word.try_into().expect("chunks of 32 bytes")))
            .collect(),
    )
}
