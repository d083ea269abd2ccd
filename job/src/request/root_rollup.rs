//! The root-rollup request: the inner proofs, and the trees that they extend.

use bytes::Bytes;

use super::{DEFI_TREE_DEPTH, DefiInteractionNote, MerklePath, ROOTS_TREE_DEPTH};
use crate::{
    Kind, LayoutError, Sizes, Word, limits,
    reply::ReplyShape,
    wire::{Reader, Writer},
};

/// A rollup of inner rollups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootRollupRequest {
    /// The rollup's id.
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
    /// The beneficiary of the fees: 12 zero bytes, then an address.
    pub rollup_beneficiary: Word,
}

impl RootRollupRequest {
    const PROOF_ID: u32 = 1;

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let rollup_id = r.u32(format_args!("rollup id"))?;
        let m = r.u32_where(
            format_args!("number of inner rollups"),
            format_args!("from 1 to {}", limits::INNERS),
            |m| (1..=limits::INNERS).contains(&m),
        )?;
        Ok(Self {
            rollup_id,
            inner_proofs: r.exactly((m, "one an inner rollup"), "inner proofs", |r, i| {
                let limit = limits::INNER_PROOF_BYTES;
                let bytes = r.u32_up_to(limit, format_args!("inner proof {i} length"))?;
                r.take(bytes as usize, format_args!("inner proof {i}"))
            })?,
            old_data_roots_root: r.field(format_args!("old data roots root"))?,
            new_data_roots_root: r.field(format_args!("new data roots root"))?,
            old_data_roots_path: r.path(ROOTS_TREE_DEPTH, format_args!("old data roots path"))?,
            old_defi_root: r.field(format_args!("old defi root"))?,
            new_defi_root: r.field(format_args!("new defi root"))?,
            old_defi_path: r.path(DEFI_TREE_DEPTH, format_args!("old defi path"))?,
            bridge_call_datas: r.bridge_call_datas()?,
            asset_ids: r.asset_ids()?,
            defi_interaction_notes: r.at_most(
                limits::BRIDGES,
                "defi interaction notes",
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
        w.list(&self.inner_proofs, |w, proof| w.buffer(proof));
        w.word(&self.old_data_roots_root);
        w.word(&self.new_data_roots_root);
        self.old_data_roots_path.write(&mut w);
        w.word(&self.old_defi_root);
        w.word(&self.new_defi_root);
        self.old_defi_path.write(&mut w);
        w.words(&self.bridge_call_datas);
        w.words(&self.asset_ids);
        w.list(&self.defi_interaction_notes, |w, note| note.write(w));
        w.word(&self.rollup_beneficiary);
        w.finish()
    }

    pub(super) fn validate(&self, sizes: Sizes) -> Result<(), LayoutError> {
        let inners = sizes.inners_per_root();
        let got = self.inner_proofs.len() as u64;
        if got > inners.into() {
            let name = format_args!("number of inner rollups");
            let must = format_args!("at most {inners}, the size of a rollup here");
            return Err(LayoutError::value(8, name, got, must));
        }
        let shape = ReplyShape::of(Kind::TxRollup, sizes);
        let mut at = 16;
        for (i, reply) in self.inner_proofs.iter().enumerate() {
            if !shape.accepts(Kind::TxRollup, reply) {
                let (got, must) = (reply.len() as u64, shape.expected("tx rollup"));
                let name = format_args!("inner proof {i} length");
                return Err(LayoutError::value(at, name, got, format_args!("{must}")));
            }
            at += 4 + reply.len();
        }
        Ok(())
    }
}
