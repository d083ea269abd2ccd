//! A whole rollup, verified from nothing but its bytes and verification keys.

use std::collections::BTreeMap;

use zkwhirl_circuits::{
    Circuit, MAX_INNERS, MAX_TXS, StatementKind, Suite,
    client::proof_id,
    field,
    root_rollup::{Broadcast, RootSize},
};
use zkwhirl_job::{
    Sizes, Word,
    reply::{Bundle, BundledInner, SuiteTag},
};

use super::{
    pieces::{self, Piece, VerifyError},
    vks::Vks,
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
    pub pieces: Vec<Piece>,
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
    /// Takes a bundle apart, and checks everything but the proofs: that words
    /// are canonical, the SHA-256s, the ranges that no circuit has, and that
    /// its parts fit together.
    pub(super) fn read(bundle: &Bundle) -> Result<Self, String> {
        let suite = match bundle.suite {
            SuiteTag::Pedersen => Suite::Pedersen,
            SuiteTag::Poseidon => Suite::Poseidon,
        };
        let sizes = bundle.sizes;
        let size = root_size(sizes)?;
        let must = inner_domain_log2(suite, sizes);
        if bundle.domain_log2 != must {
            return Err(format!(
                "the largest inner circuit has a domain of 2^{must}, the bundle says 2^{}",
                bundle.domain_log2
            ));
        }
        let raw = |words: &[Word]| words.iter().map(|word| word.0).collect::<Vec<_>>();
        let headers: Vec<Vec<[u8; 32]>> = bundle.inners.iter().map(|i| raw(&i.header)).collect();
        let notes: Vec<_> = bundle
            .interactions
            .iter()
            .map(|note| note.map(|word| word.0))
            .collect();
        let broadcast = Broadcast::read(size, &raw(&bundle.broadcast), &headers, &notes)
            .map_err(|error| error.to_string())?;
        let root = Piece {
            what: "the root rollup".to_owned(),
            circuit: Circuit {
                suite,
                statement: StatementKind::RootRollup(size),
            },
            vk: bundle.vk,
            public_input: broadcast.published().public_input(),
            proof: bundle.proof,
        };
        let mut rollup = Self {
            suite,
            sizes,
            // Below 2^25 in a rollup whose proof holds.
            rollup_id: field::small(&broadcast.header()[0]).unwrap_or(u64::MAX),
            inners: Vec::new(),
            pieces: vec![root],
        };
        for (at, inner) in bundle.inners.iter().enumerate() {
            let problem = |problem: String| format!("inner rollup {at}: {problem}");
            let fields = bundle.inner_fields(at);
            rollup.add(at, &fields, inner).map_err(problem)?;
        }
        Ok(rollup)
    }

    fn add(&mut self, at: usize, fields: &[Word], inner: &BundledInner) -> Result<(), String> {
        let txs = self.sizes.txs_per_inner();
        let parts = pieces::tx_rollup(self.suite, txs, fields, &inner.tail)?;
        let mut inner = InnerRollup::default();
        for (inputs, covered) in &parts.txs {
            let id = field::small(&inputs[0]).unwrap_or(u64::MAX);
            let txs = inner.txs.entry(id).or_default();
            txs.all += 1;
            txs.covered += usize::from(*covered);
        }
        self.inners.push(inner);
        self.pieces.extend(named(at, parts.pieces));
        Ok(())
    }

    /// Verifies every proof, in one batch.
    pub(super) fn verify(&self, keys: &Vks) -> Result<(), VerifyError> {
        pieces::verify_all(keys, &self.pieces)
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

/// The pieces of inner rollup `at`, called so.
pub(super) fn named(at: usize, pieces: Vec<Piece>) -> impl Iterator<Item = Piece> {
    pieces.into_iter().map(move |piece| Piece {
        what: format!("inner rollup {at}: {}", piece.what),
        ..piece
    })
}

/// The size of the root rollup's circuit.
pub(super) fn root_size(sizes: Sizes) -> Result<RootSize, String> {
    if sizes.txs_per_inner() > MAX_TXS || sizes.inners_per_root() > MAX_INNERS {
        return Err(format!(
            "no circuit proves rollups of {sizes}: at most {MAX_TXS}×{MAX_INNERS}"
        ));
    }
    Ok(RootSize {
        inners: sizes.inners_per_root(),
        slots: sizes.slots(),
    })
}

/// log2 of the domain of the circuit that proves an inner rollup.
pub(super) fn inner_domain_log2(suite: Suite, sizes: Sizes) -> u32 {
    let txs = sizes.txs_per_inner();
    let statement = StatementKind::TxRollup { txs };
    let rows = Circuit { suite, statement }.num_rows();
    // Two rows more: one for each public variable.
    (rows + 2).next_power_of_two().ilog2()
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
