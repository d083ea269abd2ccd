//! A whole rollup, verified from nothing but its bytes and verification keys.

use std::collections::BTreeMap;

use zkwhirl_circuits::{Suite, field, proof_id, root_rollup::Broadcast};
use zkwhirl_job::{Sizes, Word, reply::Bundle};

use super::{
    inners::of_inner,
    reading::{self, ProofClaim},
    setting::{Setting, root_size},
    verification_keys::{NotVerified, VerificationKeys},
};

/// What a rollup's bytes say and prove.
#[derive(Debug, Clone)]
pub struct Rollup {
    /// The suite of every statement.
    pub suite: Suite,
    /// What the rollup was made for.
    pub sizes: Sizes,
    /// The rollup's number.
    pub rollup_id: u64,
    /// The inner rollups, in order.
    pub inners: Vec<InnerRollup>,
    /// Every proof: the root rollup's, then those of each inner rollup.
    pub proofs: Vec<ProofClaim>,
}

/// What an inner rollup holds.
#[derive(Debug, Clone, Default)]
pub struct InnerRollup {
    /// Txs by their proof id.
    pub txs: BTreeMap<u64, Txs>,
}

/// Txs of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Txs {
    /// All of them.
    pub all: usize,
    /// Those whose client's proof is in the rollup.
    pub covered: usize,
}

impl Rollup {
    /// Takes a bundle of a setting's suite and sizes apart, and checks everything but the proofs: that words
    /// are canonical, the SHA-256s, the ranges that no circuit has, and that
    /// its parts fit together.
    pub(super) fn read(bundle: &Bundle, setting: &Setting) -> Result<Self, String> {
        let suite = setting.suite();
        let (own, largest) = (bundle.domain_log2, setting.domain_log2());
        let largest = largest.map_err(|error| error.to_string())?;
        if own != largest {
            return Err(format!(
                "its inner rollups are in circuits of up to 2^{own} rows, must be of up to 2^{largest}"
            ));
        }
        let size = root_size(bundle.sizes).map_err(|error| error.to_string())?;
        let raw = |words: &[Word]| words.iter().map(|word| word.0).collect::<Vec<_>>();
        let headers: Vec<Vec<[u8; 32]>> = bundle.inners.iter().map(|i| raw(&i.header)).collect();
        let notes = bundle.interactions.iter();
        let notes: Vec<_> = notes.map(|note| note.map(|word| word.0)).collect();
        let broadcast = Broadcast::read(size, &raw(&bundle.broadcast), &headers, &notes)
            .map_err(|error| error.to_string())?;
        let root = ProofClaim {
            name: "root rollup".to_owned(),
            circuit: setting.root().map_err(|error| error.to_string())?,
            vk: bundle.vk,
            public_input: broadcast.published().public_input(),
            proof: bundle.proof,
        };
        let mut rollup = Self {
            suite,
            sizes: bundle.sizes,
            // Below 2^25 in a rollup whose proof holds.
            rollup_id: field::small(&broadcast.header()[0]).unwrap_or(u64::MAX),
            inners: Vec::new(),
            proofs: vec![root],
        };
        for (at, inner) in bundle.inners.iter().enumerate() {
            let fields = bundle.inner_fields(at);
            let parts = reading::tx_rollup_with_txs(setting, &fields, &inner.tail);
            let (claims, txs) = parts.map_err(|error| format!("inner rollup {at}: {error}"))?;
            rollup.proofs.extend(of_inner(at, claims));
            let mut inner = InnerRollup::default();
            for tx in txs {
                let id = field::small(&tx.fields[0]).unwrap_or(u64::MAX);
                let kind = inner.txs.entry(id).or_default();
                kind.all += 1;
                kind.covered += usize::from(tx.carried);
            }
            rollup.inners.push(inner);
        }
        Ok(rollup)
    }

    /// Verifies every proof, in one batch.
    pub(super) fn verify(&self, keys: &VerificationKeys) -> Result<(), NotVerified> {
        keys.verify(&self.proofs)
    }

    /// All txs by their proof id.
    pub fn txs(&self) -> BTreeMap<u64, Txs> {
        let mut sum: BTreeMap<u64, Txs> = BTreeMap::new();
        for (id, txs) in self.inners.iter().flat_map(|inner| &inner.txs) {
            let total = sum.entry(*id).or_default();
            total.all += txs.all;
            total.covered += txs.covered;
        }
        sum
    }
}

/// What a proof id means, in words.
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
