//! The root-rollup request: the inner proofs and the trees they extend.

use bytes::Bytes;

use super::{
    DefiInteractionNote, MerklePath,
    parts::{DEFI_TREE_DEPTH, ROOTS_TREE_DEPTH, asset_ids, bridge_call_datas, list, write_words},
};
use crate::{
    Kind, LayoutError, Sizes, Word, limits,
    reply::ReplyShape,
    wire::{Reader, Writer, value},
};

/// A rollup of inner rollups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootRollupRequest {
    /// The rollup.
    pub rollup_id: u32,
    /// The replies to the inner rollups' requests, in order.
    pub inner_proofs: Vec<Bytes>,
    /// Root of the tree of data roots, before.
    pub old_data_roots_root: Word,
    /// Root of the tree of data roots, after.
    pub new_data_roots_root: Word,
    /// Path of the new data root's place.
    pub old_data_roots_path: MerklePath,
    /// Defi root before.
    pub old_defi_root: Word,
    /// Defi root after.
    pub new_defi_root: Word,
    /// Path of the interaction notes' place.
    pub old_defi_path: MerklePath,
    /// Bridges of the rollup; Falafel always sends 32, padded with zeros.
    pub bridge_call_datas: Vec<Word>,
    /// Fee assets of the rollup, at most 16.
    pub asset_ids: Vec<Word>,
    /// The interactions of earlier rollups that settle in this one, at most 32.
    pub defi_interaction_notes: Vec<DefiInteractionNote>,
    /// Who is paid: 12 zero bytes and an address.
    pub rollup_beneficiary: Word,
}

impl RootRollupRequest {
    /// The proof id that starts the request.
    pub const PROOF_ID: u32 = 1;

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let rollup_id = r.u32(format_args!("rollup id"))?;
        let m = r.u32_where(
            format_args!("number of inner rollups"),
            format_args!("from 1 to {}", limits::INNERS),
            |m| (1..=limits::INNERS).contains(&m),
        )?;
        Ok(Self {
            rollup_id,
            inner_proofs: list(
                r,
                "inner proofs",
                format_args!("{m}, one an inner rollup"),
                |got| got == m,
                |r, i| {
                    let bytes = r.u32_where(
                        format_args!("inner proof {i} length"),
                        format_args!("at most {}", limits::INNER_PROOF_BYTES),
                        |bytes| bytes <= limits::INNER_PROOF_BYTES,
                    )?;
                    r.take(bytes as usize, format_args!("inner proof {i}"))
                },
            )?,
            old_data_roots_root: r.field(format_args!("old data roots root"))?,
            new_data_roots_root: r.field(format_args!("new data roots root"))?,
            old_data_roots_path: MerklePath::read(
                r,
                ROOTS_TREE_DEPTH,
                format_args!("old data roots path"),
            )?,
            old_defi_root: r.field(format_args!("old defi root"))?,
            new_defi_root: r.field(format_args!("new defi root"))?,
            old_defi_path: MerklePath::read(r, DEFI_TREE_DEPTH, format_args!("old defi path"))?,
            bridge_call_datas: bridge_call_datas(r)?,
            asset_ids: asset_ids(r)?,
            defi_interaction_notes: list(
                r,
                "defi interaction notes",
                format_args!("at most {}", limits::BRIDGES),
                |got| got <= limits::BRIDGES,
                |r, i| DefiInteractionNote::read(r, format_args!("defi interaction note {i}")),
            )?,
            rollup_beneficiary: r.word(format_args!("rollup beneficiary"))?,
        })
    }

    /// The bytes on the wire, the leading proof id included.
    pub fn to_bytes(&self) -> Bytes {
        let proofs: usize = self.inner_proofs.iter().map(|proof| 4 + proof.len()).sum();
        let mut w = Writer::with_capacity(8192 + proofs);
        w.u32(Self::PROOF_ID);
        w.u32(self.rollup_id);
        w.count(self.inner_proofs.len());
        w.count(self.inner_proofs.len());
        for proof in &self.inner_proofs {
            w.count(proof.len());
            w.raw(proof);
        }
        w.word(&self.old_data_roots_root);
        w.word(&self.new_data_roots_root);
        self.old_data_roots_path.write(&mut w);
        w.word(&self.old_defi_root);
        w.word(&self.new_defi_root);
        self.old_defi_path.write(&mut w);
        write_words(&mut w, &self.bridge_call_datas);
        write_words(&mut w, &self.asset_ids);
        w.count(self.defi_interaction_notes.len());
        for note in &self.defi_interaction_notes {
            note.write(&mut w);
        }
        w.word(&self.rollup_beneficiary);
        w.finish()
    }

    pub(super) fn validate(&self, sizes: Sizes) -> Result<(), LayoutError> {
        let inners = sizes.inners_per_root();
        if self.inner_proofs.len() > inners as usize {
            return Err(value(
                8,
                format_args!("number of inner rollups"),
                self.inner_proofs.len() as u64,
                format_args!("at most {inners}, the size of a rollup here"),
            ));
        }
        let shape = ReplyShape::of(Kind::TxRollup, sizes);
        let mut at = 16;
        for (i, reply) in self.inner_proofs.iter().enumerate() {
            if !shape.accepts(Kind::TxRollup, reply) {
                return Err(value(
                    at,
                    format_args!("inner proof {i} length"),
                    reply.len() as u64,
                    format_args!("{}", shape.expected("tx rollup")),
                ));
            }
            at += 4 + reply.len();
        }
        Ok(())
    }
}
