//! The common parts of requests: Merkle paths and client proofs.

use std::fmt::Arguments;

use bytes::Bytes;

use crate::{
    LayoutError, Word, limits,
    reply::SINGLE_TAIL_BYTES,
    wire::{Reader, Writer},
};

/// How many levels the data (notes) tree has.
pub const DATA_TREE_DEPTH: u32 = 32;
/// How many levels the nullifier tree has.
pub const NULL_TREE_DEPTH: u32 = 256;
/// How many levels the tree of data roots has.
pub const ROOTS_TREE_DEPTH: u32 = 28;
/// How many levels the tree of defi interaction notes has.
pub const DEFI_TREE_DEPTH: u32 = 30;
/// The length of a client proof: 16 public inputs of 32 bytes, a PLONK tail of 1,504.
pub const CLIENT_PROOF_BYTES: u32 = 2016;
/// The length of a native client proof: the same public inputs, and a native tail with
/// one proof.
pub const NATIVE_CLIENT_PROOF_BYTES: u32 = (16 * 32 + SINGLE_TAIL_BYTES) as u32;

const PAIR_BYTES: usize = 64;

/// A Merkle path: one (left, right) pair of nodes per level, leaf level first.
///
/// The path shares the buffer that it was read from: paths are 97 % of a large request,
/// and code that only checks or forwards a request needs no copy of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MerklePath(Bytes);

impl FromIterator<(Word, Word)> for MerklePath {
    fn from_iter<T: IntoIterator<Item = (Word, Word)>>(pairs: T) -> Self {
        let pairs = pairs.into_iter();
        let words: Vec<[u8; 32]> = pairs.flat_map(|(l, r)| [l.0, r.0]).collect();
        Self(words.concat().into())
    }
}

impl MerklePath {
    /// How many levels the path has.
    pub fn depth(&self) -> usize {
        self.0.len() / PAIR_BYTES
    }

    /// The path's pairs of nodes, leaf level first.
    pub fn pairs(&self) -> impl ExactSizeIterator<Item = (Word, Word)> + '_ {
        let word = |bytes: &[u8]| Word(bytes.try_into().expect("half a pair is 32 bytes"));
        self.0.chunks_exact(PAIR_BYTES).map(move |pair| {
            let (left, right) = pair.split_at(PAIR_BYTES / 2);
            (word(left), word(right))
        })
    }

    pub(crate) fn write(&self, w: &mut Writer) {
        w.count(self.depth());
        w.raw(&self.0);
    }
}

impl Reader<'_> {
    pub(crate) fn path(
        &mut self,
        depth: u32,
        name: Arguments<'_>,
    ) -> Result<MerklePath, LayoutError> {
        let (count, must) = (format_args!("{name} depth"), format_args!("{depth}"));
        self.u32_where(count, must, |got| got == depth)?;
        if let Some(path) = self.fields(2 * depth as usize) {
            return Ok(MerklePath(path));
        }
        let start = self.at();
        for level in 0..depth {
            self.field(format_args!("{name} level {level} left"))?;
            self.field(format_args!("{name} level {level} right"))?;
        }
        Ok(MerklePath(self.since(start)))
    }

    /// The bridges that a rollup's deposits go to.
    pub(crate) fn bridge_call_datas(&mut self) -> Result<Vec<Word>, LayoutError> {
        self.at_most(limits::BRIDGES, "bridge call datas", |r, i| {
            r.word(format_args!("bridge call data {i}"))
        })
    }

    /// The assets that a rollup's fees are paid in.
    pub(crate) fn asset_ids(&mut self) -> Result<Vec<Word>, LayoutError> {
        self.at_most(limits::ASSETS, "asset ids", |r, i| {
            r.word(format_args!("asset id {i}"))
        })
    }
}

/// A transaction as its client proved it: 16 public inputs, then the proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientProof {
    /// The public inputs; [`field`] names their places.
    pub public_inputs: [Word; 16],
    /// The rest of the [`CLIENT_PROOF_BYTES`] or [`NATIVE_CLIENT_PROOF_BYTES`].
    pub tail: Bytes,
}

/// The places of a client proof's public inputs.
pub mod field {
    /// Kind of transaction: 0 padding, 1 deposit, 2 withdraw, 3 send,
    /// 4 account, 5 defi deposit, 6 claim.
    pub const PROOF_ID: usize = 0;
    /// First new note (of a defi deposit: the partial claim note).
    pub const NOTE_COMMITMENT1: usize = 1;
    /// Second new note.
    pub const NOTE_COMMITMENT2: usize = 2;
    /// First spent note's nullifier.
    pub const NULLIFIER1: usize = 3;
    /// Second spent note's nullifier.
    pub const NULLIFIER2: usize = 4;
    /// Value deposited or withdrawn in public.
    pub const PUBLIC_VALUE: usize = 5;
    /// The address that deposits or withdraws.
    pub const PUBLIC_OWNER: usize = 6;
    /// Asset deposited or withdrawn.
    pub const PUBLIC_ASSET_ID: usize = 7;
    /// The root of the data tree that contains the spent notes.
    pub const DATA_ROOT: usize = 8;
    /// Fee.
    pub const TX_FEE: usize = 9;
    /// Asset of the fee.
    pub const TX_FEE_ASSET_ID: usize = 10;
    /// Bridge of a defi deposit or claim.
    pub const BRIDGE_CALL_DATA: usize = 11;
    /// Value of a defi deposit.
    pub const DEFI_DEPOSIT_VALUE: usize = 12;
    /// The defi root that a claim uses.
    pub const DEFI_ROOT: usize = 13;
    /// The pending commitment that is spent, or zero.
    pub const BACKWARD_LINK: usize = 14;
    /// Which of the outputs may be spent while pending: 1, 2, 3 both, 0 none.
    pub const ALLOW_CHAIN: usize = 15;
}

impl ClientProof {
    pub(crate) fn read(r: &mut Reader<'_>, name: Arguments<'_>) -> Result<Self, LayoutError> {
        let bytes = r.u32_where(
            format_args!("{name} client proof length"),
            format_args!("{CLIENT_PROOF_BYTES} or {NATIVE_CLIENT_PROOF_BYTES}"),
            |got| [CLIENT_PROOF_BYTES, NATIVE_CLIENT_PROOF_BYTES].contains(&got),
        )?;
        let mut public_inputs = [Word::ZERO; 16];
        for (place, word) in public_inputs.iter_mut().enumerate() {
            *word = r.field(format_args!("{name} public input {place}"))?;
        }
        let tail = r.take(bytes as usize - 16 * 32, format_args!("{name} proof tail"))?;
        Ok(Self {
            public_inputs,
            tail,
        })
    }

    /// Whether the tail has the length of a native tail, which a PLONK tail never has.
    pub fn is_native(&self) -> bool {
        self.tail.len() == SINGLE_TAIL_BYTES
    }

    pub(crate) fn write(&self, w: &mut Writer) {
        w.count(16 * 32 + self.tail.len());
        self.public_inputs.iter().for_each(|word| w.word(word));
        w.raw(&self.tail);
    }
}
