//! The tx-rollup request: an inner rollup with the witness of every tree.

use bytes::Bytes;

use super::parts::{
    ClientProof, DATA_TREE_DEPTH, MerklePath, NULL_TREE_DEPTH, ROOTS_TREE_DEPTH, asset_ids,
    bridge_call_datas, list, write_words,
};
use crate::{
    LayoutError, Sizes, Word, limits,
    wire::{Reader, Writer, value},
};

/// An inner rollup of `txs.len()` transactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxRollupRequest {
    /// The rollup that this inner rollup is part of.
    pub rollup_id: u32,
    /// Where its notes start in the data tree.
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
    /// The proof id that starts the request.
    pub const PROOF_ID: u32 = 0;

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let rollup_id = r.u32(format_args!("rollup id"))?;
        let n = r.u32_where(
            format_args!("number of txs"),
            format_args!("from 1 to {}", limits::TXS),
            |n| (1..=limits::TXS).contains(&n),
        )?;
        let data_start_index = r.u32(format_args!("data start index"))?;
        let each = format_args!("{n}, one a tx");
        let each_twice = format_args!("{}, two a tx", 2 * n);
        let padded = format_args!("{} or {}", 2 * n, 2 * n + 1);
        Ok(Self {
            rollup_id,
            data_start_index,
            txs: list(
                r,
                "client proofs",
                each,
                |got| got == n,
                |r, i| ClientProof::read(r, format_args!("tx {i}")),
            )?,
            old_data_root: r.field(format_args!("old data root"))?,
            new_data_root: r.field(format_args!("new data root"))?,
            old_data_path: MerklePath::read(r, DATA_TREE_DEPTH, format_args!("old data path"))?,
            linked_commitment_paths: list(
                r,
                "linked commitment paths",
                each,
                |got| got == n,
                |r, i| {
                    MerklePath::read(
                        r,
                        DATA_TREE_DEPTH,
                        format_args!("tx {i}: linked commitment path"),
                    )
                },
            )?,
            linked_commitment_indices: list(
                r,
                "linked commitment indices",
                each,
                |got| got == n,
                |r, i| r.u32(format_args!("tx {i}: linked commitment index")),
            )?,
            old_null_root: r.field(format_args!("old nullifier root"))?,
            new_null_roots: list(
                r,
                "new nullifier roots",
                each_twice,
                |got| got == 2 * n,
                |r, i| r.field(format_args!("tx {}: new nullifier root {}", i / 2, i % 2)),
            )?,
            old_null_paths: list(
                r,
                "nullifier paths",
                padded,
                |got| got == 2 * n || got == 2 * n + 1,
                |r, i| {
                    MerklePath::read(
                        r,
                        NULL_TREE_DEPTH,
                        format_args!("tx {}: nullifier path {}", i / 2, i % 2),
                    )
                },
            )?,
            data_roots_root: r.field(format_args!("data roots root"))?,
            data_roots_paths: list(
                r,
                "data roots paths",
                each,
                |got| got == n,
                |r, i| {
                    MerklePath::read(r, ROOTS_TREE_DEPTH, format_args!("tx {i}: data roots path"))
                },
            )?,
            data_roots_indices: list(
                r,
                "data roots indices",
                each,
                |got| got == n,
                |r, i| r.u32(format_args!("tx {i}: data roots index")),
            )?,
            new_defi_root: r.field(format_args!("new defi root"))?,
            bridge_call_datas: bridge_call_datas(r)?,
            asset_ids: asset_ids(r)?,
        })
    }

    /// The bytes on the wire, the leading proof id included.
    pub fn to_bytes(&self) -> Bytes {
        let n = self.txs.len();
        let mut w = Writer::with_capacity(self.wire_bytes());
        w.u32(Self::PROOF_ID);
        w.u32(self.rollup_id);
        w.count(n);
        w.u32(self.data_start_index);
        w.count(n);
        for tx in &self.txs {
            tx.write(&mut w);
        }
        w.word(&self.old_data_root);
        w.word(&self.new_data_root);
        self.old_data_path.write(&mut w);
        write_paths(&mut w, &self.linked_commitment_paths);
        write_indices(&mut w, &self.linked_commitment_indices);
        w.word(&self.old_null_root);
        write_words(&mut w, &self.new_null_roots);
        write_paths(&mut w, &self.old_null_paths);
        w.word(&self.data_roots_root);
        write_paths(&mut w, &self.data_roots_paths);
        write_indices(&mut w, &self.data_roots_indices);
        w.word(&self.new_defi_root);
        write_words(&mut w, &self.bridge_call_datas);
        write_words(&mut w, &self.asset_ids);
        w.finish()
    }

    /// Bytes on the wire.
    pub fn wire_bytes(&self) -> usize {
        let a_tx = MerklePath::wire_bytes(DATA_TREE_DEPTH) + 4 // linked commitment
            + 2 * 32 // new nullifier roots
            + MerklePath::wire_bytes(ROOTS_TREE_DEPTH) + 4; // data root
        let fixed = 13 * 4 // ids and counts
            + 5 * 32 // roots
            + MerklePath::wire_bytes(DATA_TREE_DEPTH);
        fixed
            + self.client_proofs_bytes()
            + a_tx * self.txs.len()
            + MerklePath::wire_bytes(NULL_TREE_DEPTH) * self.old_null_paths.len()
            + 32 * (self.bridge_call_datas.len() + self.asset_ids.len())
    }

    fn client_proofs_bytes(&self) -> usize {
        self.txs.iter().map(ClientProof::wire_bytes).sum()
    }

    pub(super) fn validate(&self, sizes: Sizes) -> Result<(), LayoutError> {
        let n = self.txs.len() as u64;
        let capacity = sizes.txs_per_inner();
        // The places of the two counts follow from the layout: after the proof
        // id and the rollup id, and behind everything up to the nullifiers.
        if n > u64::from(capacity) {
            return Err(value(
                8,
                format_args!("number of txs"),
                n,
                format_args!("at most {capacity}, the size of an inner rollup here"),
            ));
        }
        let must = 2 * n + u64::from(n < u64::from(capacity));
        let got = self.old_null_paths.len() as u64;
        if got != must {
            return Err(value(
                self.null_paths_at(),
                format_args!("number of nullifier paths"),
                got,
                format_args!("{must} for {n} txs in an inner rollup of {capacity}"),
            ));
        }
        Ok(())
    }

    /// The byte at which the count of nullifier paths stands.
    fn null_paths_at(&self) -> usize {
        let n = self.txs.len();
        20 + self.client_proofs_bytes()
            + 64
            + MerklePath::wire_bytes(DATA_TREE_DEPTH)
            + 4
            + n * MerklePath::wire_bytes(DATA_TREE_DEPTH)
            + 4
            + n * 4
            + 32
            + 4
            + 2 * n * 32
    }
}

fn write_paths(w: &mut Writer, paths: &[MerklePath]) {
    w.count(paths.len());
    for path in paths {
        path.write(w);
    }
}

fn write_indices(w: &mut Writer, indices: &[u32]) {
    w.count(indices.len());
    for index in indices {
        w.u32(*index);
    }
}
