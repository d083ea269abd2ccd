//! The claim request: always 4,413 bytes.

use bytes::Bytes;

use super::{ClaimNote, DATA_TREE_DEPTH, DEFI_TREE_DEPTH, DefiInteractionNote, MerklePath};
use crate::{
    LayoutError, Word,
    wire::{Reader, Writer},
};

/// The claim of one defi deposit: the claim note is under the data root, the
/// interaction's note under the defi root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRequest {
    /// Root of the data tree.
    pub data_root: Word,
    /// Root of the defi tree.
    pub defi_root: Word,
    /// The claim note's place in the data tree.
    pub claim_note_index: u32,
    /// The claim note's path in the data tree.
    pub claim_note_path: MerklePath,
    /// The claim note.
    pub claim_note: ClaimNote,
    /// The interaction note's leaf index in the defi tree.
    pub defi_note_index: u32,
    /// The interaction note's path in the defi tree.
    pub defi_note_path: MerklePath,
    /// The interaction note.
    pub defi_note: DefiInteractionNote,
    /// The claim's share of output a.
    pub output_value_a: Word,
    /// The claim's share of output b.
    pub output_value_b: Word,
}

impl ClaimRequest {
    /// The proof id that starts the request.
    pub const PROOF_ID: u32 = 2;

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, LayoutError> {
        Ok(Self {
            data_root: r.field(format_args!("data root"))?,
            defi_root: r.field(format_args!("defi root"))?,
            claim_note_index: r.u32(format_args!("claim note index"))?,
            claim_note_path: r.path(DATA_TREE_DEPTH, format_args!("claim note path"))?,
            claim_note: ClaimNote::read(r)?,
            defi_note_index: r.u32(format_args!("defi interaction note index"))?,
            defi_note_path: r.path(DEFI_TREE_DEPTH, format_args!("defi interaction note path"))?,
            defi_note: DefiInteractionNote::read(r, format_args!("defi interaction note"))?,
            output_value_a: r.word(format_args!("output value a"))?,
            output_value_b: r.word(format_args!("output value b"))?,
        })
    }

    /// The bytes on the wire, the leading proof id included.
    pub fn to_bytes(&self) -> Bytes {
        let mut w = Writer::with_capacity(4413);
        w.u32(Self::PROOF_ID);
        w.word(&self.data_root);
        w.word(&self.defi_root);
        w.u32(self.claim_note_index);
        self.claim_note_path.write(&mut w);
        self.claim_note.write(&mut w);
        w.u32(self.defi_note_index);
        self.defi_note_path.write(&mut w);
        self.defi_note.write(&mut w);
        w.word(&self.output_value_a);
        w.word(&self.output_value_b);
        w.finish()
    }
}
