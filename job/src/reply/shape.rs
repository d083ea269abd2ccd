//! Lengths and fields of the original replies.

use bytes::Bytes;

use super::{NativeForm, NativeProof, ReplyError};
use crate::{Kind, Sizes, Word, limits};

/// How many published fields a claim's reply has.
pub const CLAIM_FIELDS: usize = 16;
/// How many limbs of the recursive proof the original appends to the fields.
const RECURSION_LIMBS: usize = 16;
/// The length of a Turbo PLONK proof: 9 commitments of 64 bytes, 25 scalars of 32, 2
/// opening commitments of 64.
const TURBO_PROOF_BYTES: usize = 1504;
/// The length of the root verifier's standard PLONK proof, in bytes.
const STANDARD_PROOF_BYTES: usize = 768;
/// How many words the broadcast data has before the transactions.
pub(super) const BROADCAST_HEADER: usize = 142;
/// How many published words an inner rollup has before its transactions.
pub(super) const INNER_HEADER: usize = 108;
/// How many published words a transaction has.
pub(super) const TX: usize = 8;

/// How many published fields a tx rollup's reply with `slots` transaction slots has.
pub fn tx_rollup_fields(slots: u32) -> usize {
    INNER_HEADER + TX * slots as usize
}

/// The length in bytes of the broadcast data, with which the replies of the root rollup
/// and of the root verifier begin.
pub fn broadcast_bytes(sizes: Sizes) -> usize {
    32 * (BROADCAST_HEADER + TX * sizes.rollup_slots() as usize)
}

/// The shape of a reply of `rollup_cli` for one kind and size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyShape {
    /// The number of published fields, 32 bytes each, at the start of the reply.
    pub fields: usize,
    /// The reply's exact length in bytes. `None` for verification keys, whose length
    /// depends on the circuit.
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

    /// Checks that a reply of `rollup_cli` has the exact length of its kind and size.
    pub fn check(&self, kind: Kind, reply: &[u8]) -> Result<(), ReplyError> {
        let (got, limit) = (reply.len(), limits::VK_BYTES);
        let must = match self.bytes {
            // Falafel would read beyond the reply's end.
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

    /// Checks that a native reply has its fields and a tail of a form that its kind
    /// has. Does not verify the proofs.
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

    /// The lengths that [`ReplyShape::accepts`] requires, in words; `what` names the
    /// owner of the tail.
    pub(crate) fn expected(&self, what: &str) -> String {
        let fields = 32 * self.fields;
        let native = format!("{fields} and the native tail of a {what}");
        match self.bytes {
            Some(bytes) => format!("{bytes}, or {native}"),
            None => native,
        }
    }

    /// Whether a reply has the shape of `rollup_cli`'s or of the native engine's.
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

/// Reads the first `count` fields of a reply. `None`: the reply is shorter.
pub fn fields(reply: &Bytes, count: usize) -> Option<Vec<Word>> {
    reply.get(..32 * count).map(Word::all)
}
