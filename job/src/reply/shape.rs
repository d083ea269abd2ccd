//! Lengths and fields of the original replies.

use bytes::Bytes;

use super::{NativeForm, NativeProof, ReplyError};
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
pub(super) const BROADCAST_HEADER: usize = 142;
/// Published words of an inner rollup before its transactions.
pub(super) const INNER_HEADER: usize = 108;
/// Published words of a transaction.
pub(super) const TX: usize = 8;

/// Published fields of a tx-rollup's reply with `slots` transaction slots.
pub fn tx_rollup_fields(slots: u32) -> usize {
    INNER_HEADER + TX * slots as usize
}

/// Bytes of the broadcast data that starts the replies of the root rollup and
/// of the root verifier.
pub fn broadcast_bytes(sizes: Sizes) -> usize {
    32 * (BROADCAST_HEADER + TX * sizes.rollup_slots() as usize)
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
            Kind::RootRollup | Kind::RootVerifier => {
                let proof = match kind {
                    Kind::RootRollup => TURBO_PROOF_BYTES,
                    _ => STANDARD_PROOF_BYTES,
                };
                let broadcast = broadcast_bytes(sizes);
                let bytes = broadcast + 32 * (1 + RECURSION_LIMBS) + proof;
                (broadcast / 32, Some(bytes))
            }
            Kind::JoinSplitVk | Kind::AccountVk => (0, None),
        };
        Self { fields, bytes }
    }

    /// Checks a reply of `rollup_cli`'s: the exact length of its kind and size.
    pub fn check(&self, kind: Kind, reply: &[u8]) -> Result<(), ReplyError> {
        let (got, limit) = (reply.len(), limits::VK_BYTES);
        let must = match self.bytes {
            // Falafel would read past its end.
            _ if reply.is_empty() => {
                let why = format_args!("the reply to a {kind} job is empty");
                return Err(ReplyError::new(why));
            }
            Some(bytes) if got != bytes => bytes.to_string(),
            None if got > limit => format!("at most {limit}"),
            _ => return Ok(()),
        };
        Err(wrong_length(kind, got, &must))
    }

    /// Checks a reply of the native engine: its fields, then a tail of a form
    /// that its kind has. Proofs are for their verifier.
    pub fn check_native(&self, kind: Kind, reply: &[u8]) -> Result<(), ReplyError> {
        let fields = 32 * self.fields;
        let Some(tail) = reply.get(fields..) else {
            let must = format!("more than the {fields} of its fields");
            return Err(wrong_length(kind, reply.len(), &must));
        };
        let tail = NativeProof::parse(tail)
            .map_err(|why| ReplyError::new(format_args!("the reply to a {kind} job: {why}")))?;
        if forms(kind).contains(&tail.form) {
            return Ok(());
        }
        let got = tail.form as u8;
        let why = format_args!("the reply to a {kind} job has a native tail of form {got}");
        Err(ReplyError::new(why))
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

fn wrong_length(kind: Kind, got: usize, must: &str) -> ReplyError {
    ReplyError::new(format_args!(
        "the reply to a {kind} job has {got} bytes, must have {must}"
    ))
}

/// The first `count` fields of a reply, or `None` when it is shorter.
pub fn fields(reply: &Bytes, count: usize) -> Option<Vec<Word>> {
    reply.get(..32 * count).map(Word::all)
}
