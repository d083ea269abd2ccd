//! A whole rollup, verified from its bytes and the verification keys alone.

use std::collections::BTreeMap;

use zkwhirl_circuits::{Suite, field, proof_id, root_rollup::Broadcast};
use zkwhirl_job::{
    Sizes, Word,
    reply::{Bundle, NotVerified},
};

use super::{inners::of_inner, reading, reply_proof::ReplyProof};
use crate::native::setting::{Setting, root_size};

/// The contents of a verified rollup.
#[derive(Debug, Clone)]
pub struct VerifiedRollup {
    /// The suite of every statement.
    pub suite: Suite,
    /// The sizes for which the rollup was made.
    pub sizes: Sizes,
    /// The rollup's id.
    pub rollup_id: u64,
    /// The number of inner rollups.
    pub inners: usize,
    /// The number of txs in all inner rollups, by proof id.
    pub txs: BTreeMap<u64, TxCount>,
    /// All proofs: the root rollup's proof, then the proofs of each inner rollup.
    pub proofs: Vec<ReplyProof>,
}

/// The number of txs with one proof id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TxCount {
    /// The number of all txs with the proof id.
    pub all: usize,
    /// The number of these txs whose client proof is in the rollup.
    pub covered: usize,
}

impl VerifiedRollup {
    /// Reads a bundle of a setting's suite and sizes, and checks everything except
    /// the proofs: canonical words, SHA-256 hashes, the ranges that no circuit
    /// checks, and that the bundle's parts fit together.
    pub(super) fn read(bundle: &Bundle, setting: &Setting) -> Result<Self, NotVerified> {
        let suite = setting.suite;
        let largest = setting.domain_log2().map_err(NotVerified::refused)?;
        let own = bundle.domain_log2;
        if own != largest {
            return Err(NotVerified::refused(format_args!(
                "the bundle's inner rollups have circuits of up to 2^{own} rows, must be of up to 2^{largest}"
            )));
        }
        let size = root_size(bundle.sizes).map_err(NotVerified::refused)?;
        let raw = |words: &[Word]| words.iter().map(|word| word.0).collect::<Vec<_>>();
        let headers: Vec<Vec<[u8; 32]>> = bundle.inners.iter().map(|i| raw(&i.header)).collect();
        let notes = bundle.interactions.iter();
        let notes: Vec<_> = notes.map(|note| note.map(|word| word.0)).collect();
        let broadcast = Broadcast::read(size, &raw(&bundle.broadcast), &headers, &notes)
            .map_err(NotVerified::refused)?;
        let root = ReplyProof {
            name: "root rollup".to_owned(),
            circuit: setting.root().map_err(NotVerified::refused)?,
            vk: bundle.vk,
            public_input: broadcast.published().public_input(),
            proof: bundle.proof,
        };
        let mut rollup = Self {
            suite,
            sizes: bundle.sizes,
            // If the root rollup's proof holds, the id is below 2^25.
            rollup_id: field::small(&broadcast.header()[0]).unwrap_or(u64::MAX),
            inners: bundle.inners.len(),
            txs: BTreeMap::new(),
            proofs: vec![root],
        };
        for (at, inner) in bundle.inners.iter().enumerate() {
            let fields = bundle.inner_fields(at);
            let read = reading::tx_rollup_with_txs(setting, &fields, &inner.tail);
            let (proofs, txs) = read.map_err(|error| {
                NotVerified::refused(format_args!("inner rollup {at}: {error}"))
            })?;
            rollup.proofs.extend(of_inner(at, proofs));
            for tx in txs {
                let id = field::small(&tx.fields[0]).unwrap_or(u64::MAX);
                let count = rollup.txs.entry(id).or_default();
                count.all += 1;
                count.covered += usize::from(tx.carried);
            }
        }
        Ok(rollup)
    }
}

/// The name of the kind of txs with a proof id.
pub fn tx_kind(id: u64) -> &'static str {
    match id {
        proof_id::DEPOSIT => "deposit",
        proof_id::WITHDRAW => "withdrawal",
        proof_id::SEND => "send",
        proof_id::ACCOUNT => "account",
        proof_id::DEFI_DEPOSIT => "defi deposit",
        proof_id::CLAIM => "claim",
        _ => "unknown",
    }
}
