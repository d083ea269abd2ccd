//! The tx-rollup request: an inner rollup with the witness of every tree.

use bytes::Bytes;

use super::{ClientProof, DATA_TREE_DEPTH, MerklePath, NULL_TREE_DEPTH, ROOTS_TREE_DEPTH};
use crate::{
    LayoutError, Sizes, Word, limits,
    wire::{Reader, Writer},
};

/// An inner rollup of `txs.len()` transactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxRollupRequest {
    /// The id of the rollup that this inner rollup belongs to.
    pub rollup_id: u32,
    /// The place of the inner rollup's first note in the data tree.
    pub data_start_index: u32,
    /// The transactions, at least one.
    pub txs: Vec<ClientProof>,
    /// Data root before.
    pub old_data_root: Word,
    /// Data root after.
    pub new_data_root: Word,
    /// Path of the place in the data tree; levels below the inserted subtree
    /// are ignored.
    pub old_data_path: MerklePath,
    /// For each tx, the path of the commitment that it links back to.
    pub linked_commitment_paths: Vec<MerklePath>,
    /// For each tx, the place of that commitment.
    pub linked_commitment_indices: Vec<u32>,
    /// Nullifier root before.
    pub old_null_root: Word,
    /// Nullifier root after each nullifier, two a tx.
    pub new_null_roots: Vec<Word>,
    /// Path of each nullifier, two a tx; one more (of index zero) when the
    /// inner rollup is not full.
    pub old_null_paths: Vec<MerklePath>,
    /// Root of the tree of data roots.
    pub data_roots_root: Word,
    /// For each tx, the path of the data root that it used.
    pub data_roots_paths: Vec<MerklePath>,
    /// For each tx, the place of that data root.
    pub data_roots_indices: Vec<u32>,
    /// The defi root that claims must use.
    pub new_defi_root: Word,
    /// Bridges of the whole rollup, at most 32.
    pub bridge_call_datas: Vec<Word>,
    /// Fee assets of this inner rollup, at most 16.
    pub asset_ids: Vec<Word>,
}

impl TxRollupRequest {
    const PROOF_ID: u32 = 0;

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let rollup_id = r.u32(format_args!("rollup id"))?;
        let n = r.u32_where(
            format_args!("number of txs"),
            format_args!("from 1 to {}", limits::TXS),
            |n| (1..=limits::TXS).contains(&n),
        )?;
        let data_start_index = r.u32(format_args!("data start index"))?;
        let each = (n, "one a tx");
        let padded = format_args!("{} or {}", 2 * n, 2 * n + 1);
        Ok(Self {
            rollup_id,
            data_start_index,
            txs: r.exactly(each, "client proofs", |r, i| {
                ClientProof::read(r, format_args!("tx {i}"))
            })?,
            old_data_root: r.field(format_args!("old data root"))?,
            new_data_root: r.field(format_args!("new data root"))?,
            old_data_path: r.path(DATA_TREE_DEPTH, format_args!("old data path"))?,
            linked_commitment_paths: r.exactly(each, "linked commitment paths", |r, i| {
                r.path(
                    DATA_TREE_DEPTH,
                    format_args!("tx {i}: linked commitment path"),
                )
            })?,
            linked_commitment_indices: r.exactly(each, "linked commitment indices", |r, i| {
                r.u32(format_args!("tx {i}: linked commitment index"))
            })?,
            old_null_root: r.field(format_args!("old nullifier root"))?,
            new_null_roots: r.exactly((2 * n, "two a tx"), "new nullifier roots", |r, i| {
                r.field(format_args!("tx {}: new nullifier root {}", i / 2, i % 2))
            })?,
            old_null_paths: r.list(
                "nullifier paths",
                (padded, |got| got == 2 * n || got == 2 * n + 1),
                |r, i| {
                    let name = format_args!("tx {}: nullifier path {}", i / 2, i % 2);
                    r.path(NULL_TREE_DEPTH, name)
                },
            )?,
            data_roots_root: r.field(format_args!("data roots root"))?,
            data_roots_paths: r.exactly(each, "data roots paths", |r, i| {
                r.path(ROOTS_TREE_DEPTH, format_args!("tx {i}: data roots path"))
            })?,
            data_roots_indices: r.exactly(each, "data roots indices", |r, i| {
                r.u32(format_args!("tx {i}: data roots index"))
            })?,
            new_defi_root: r.field(format_args!("new defi root"))?,
            bridge_call_datas: r.bridge_call_datas()?,
            asset_ids: r.asset_ids()?,
        })
    }

    /// The bytes on the wire, the leading proof id included.
    pub fn to_bytes(&self) -> Bytes {
        // 38,716 bytes per tx with a PLONK proof, and the parts that occur once.
        let mut w = Writer::with_capacity(38_716 * self.txs.len() + (20 << 10));
        self.write_head(&mut w);
        w.list(&self.old_null_paths, |w, path| path.write(w));
        w.word(&self.data_roots_root);
        w.list(&self.data_roots_paths, |w, path| path.write(w));
        w.list(&self.data_roots_indices, |w, index| w.u32(*index));
        w.word(&self.new_defi_root);
        w.words(&self.bridge_call_datas);
        w.words(&self.asset_ids);
        w.finish()
    }

    /// Writes the fields before the nullifier paths.
    fn write_head(&self, w: &mut Writer) {
        w.u32(Self::PROOF_ID);
        w.u32(self.rollup_id);
        w.count(self.txs.len());
        w.u32(self.data_start_index);
        w.list(&self.txs, |w, tx| tx.write(w));
        w.word(&self.old_data_root);
        w.word(&self.new_data_root);
        self.old_data_path.write(w);
        w.list(&self.linked_commitment_paths, |w, path| path.write(w));
        w.list(&self.linked_commitment_indices, |w, index| w.u32(*index));
        w.word(&self.old_null_root);
        w.words(&self.new_null_roots);
    }

    pub(super) fn validate(&self, sizes: Sizes) -> Result<(), LayoutError> {
        let n = self.txs.len() as u64;
        let capacity = u64::from(sizes.txs_per_inner());
        if n > capacity {
            let name = format_args!("number of txs");
            let must = format_args!("at most {capacity}, the size of an inner rollup here");
            return Err(LayoutError::value(8, name, n, must));
        }
        let expected = 2 * n + u64::from(n < capacity);
        let got = self.old_null_paths.len() as u64;
        if got == expected {
            return Ok(());
        }
        let mut head = Writer::default();
        self.write_head(&mut head);
        let name = format_args!("number of nullifier paths");
        let must = format_args!("{expected} for {n} txs in an inner rollup of {capacity}");
        Err(LayoutError::value(head.at(), name, got, must))
    }
}
