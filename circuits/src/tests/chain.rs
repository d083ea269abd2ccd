//! An inner rollup as a chain of circuits: the pieces accept and reject the
//! same rollups as one circuit, and each piece fits only in its own place.

mod pieces;
mod seams;

use std::sync::Arc;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};

use super::support::broken::PLANS;
use super::support::parts::part;
use super::support::rows::{failing_parts, unsatisfied};
use super::support::world::{TxPlan, tx};
use crate::published::Published;
use crate::tx_rollup::{self, SegmentWitness, TxRollupWitness};
use crate::{Chain, Circuit, Rule, Scope, Seams, Suite, Violation, Witness};

/// A rollup that follows the rules, cut into pieces.
#[derive(Clone)]
pub(super) struct Cut {
    chain: Chain,
    pub(super) published: Published,
    allow_chain: Vec<Fr>,
    pieces: Vec<Witness>,
    seams: Seams,
}

impl Cut {
    fn new(plan: &TxPlan, chain: Chain) -> Self {
        Self::of(plan.suite, plan.capacity, plan.witness(), chain)
    }

    pub(super) fn of(suite: Suite, txs: u32, w: TxRollupWitness, chain: Chain) -> Self {
        let published = tx_rollup::check(suite, txs, &w).unwrap();
        let allow_chain = w.txs.iter().map(|tx| tx.fields[15]).collect();
        let (pieces, seams) = chain.cut(&Arc::new(w));
        Self {
            chain,
            published,
            allow_chain,
            pieces,
            seams,
        }
    }

    fn circuits(&self) -> Vec<Circuit> {
        let pieces = self.chain.pieces(self.allow_chain.len());
        pieces.into_iter().map(|piece| piece.circuit).collect()
    }

    /// Returns the public inputs that a verifier computes.
    fn public_inputs(&self) -> Vec<Fr> {
        let (published, seams) = (&self.published, &self.seams);
        let inputs = self
            .chain
            .public_inputs(published, &self.allow_chain, seams);
        inputs.unwrap()
    }

    /// Returns the pieces whose public inputs change when a verifier's words are changed.
    fn differing(&self, change: impl FnOnce(&mut Self)) -> Vec<usize> {
        let mut changed = self.clone();
        change(&mut changed);
        let [good, changed] = [self, &changed].map(Self::public_inputs);
        let pieces = 0..good.len();
        pieces.filter(|at| good[*at] != changed[*at]).collect()
    }

    /// Asserts that every row of every piece is satisfied, for the public
    /// inputs that a verifier computes.
    #[track_caller]
    pub(super) fn holds(&self) {
        self.hold(|_, _| true);
    }

    /// Like [`Cut::holds`], for the pieces that `wanted(index, count)` selects.
    #[track_caller]
    pub(super) fn hold(&self, wanted: impl Fn(usize, usize) -> bool) {
        let expected = self.public_inputs();
        let circuits = self.circuits();
        assert_eq!([circuits.len(), expected.len()], [self.pieces.len(); 2]);
        for at in (0..circuits.len()).filter(|at| wanted(*at, circuits.len())) {
            let circuit = circuits[at];
            let report = circuit.check_raw(&self.pieces[at]).unwrap();
            assert_eq!(report.public_input, expected[at], "{circuit}");
            assert_eq!(report.rows, circuit.num_rows(), "{circuit}");
        }
    }

    fn segment(&self, at: usize) -> SegmentWitness {
        match &self.pieces[at] {
            Witness::TxSegment(segment) => SegmentWitness::clone(segment),
            other => panic!("{other:?} is not a segment"),
        }
    }
}

/// Five txs: a deposit, a claim that chains from it, and, in a later segment of
/// two txs, a tx that also chains from the deposit's second output.
fn five(suite: Suite) -> TxPlan {
    let mut plan = TxPlan::new(suite, 5);
    plan.push(tx(3, 30), 0);
    let mut chained = tx(3, 40);
    chained[14] = plan.txs[0][2];
    plan.push(chained, 0);
    let mut deposit = tx(5, 50);
    deposit[11] = plan.txs[0][11];
    deposit[12] = Fr::from(23u64);
    plan.push(deposit, 0);
    plan
}

#[test]
fn every_piece_of_a_valid_rollup_holds() {
    let plan = five(Suite::Poseidon);
    Cut::new(&plan, Chain::new(plan.suite, 5, 2, 1)).holds();
    // The rollup has one tx more than a segment; the last two segments are left out.
    let mut plan = five(Suite::Poseidon);
    plan.txs.truncate(2);
    let cut = Cut::new(&plan, Chain::new(plan.suite, 5, 1, 1));
    assert_eq!(cut.pieces.len(), 3);
    cut.holds();
}

#[test]
fn in_the_pedersen_suite_nullifiers_have_shards_of_their_own() {
    let plan = TxPlan::new(Suite::Pedersen, 2);
    // A shard has three nullifiers: the second shard is padded, without a padding path.
    let cut = Cut::new(&plan, Chain::new(plan.suite, 2, 1, 3));
    let pieces = cut.chain.pieces(2).into_iter();
    let pieces: Vec<_> = pieces.map(|p| (p.name, p.circuit.to_string())).collect();
    let expected = [
        ("segment 1 of 2", "tx-segment/pedersen/1/2"),
        ("segment 2 of 2", "tx-segment/pedersen/1/2"),
        ("nullifier shard 1 of 2", "tx-nullifiers/pedersen/3"),
        ("nullifier shard 2 of 2", "tx-nullifiers/pedersen/3"),
        ("notes", "tx-notes/pedersen/2"),
    ];
    assert_eq!(
        pieces,
        expected.map(|(name, circuit)| (name.to_owned(), circuit.to_owned()))
    );
    cut.holds();
}

#[test]
fn every_rule_broken_alone_breaks_its_piece_alone() {
    for (scope, rule, break_it) in PLANS {
        let mut plan = TxPlan::new(Suite::Poseidon, 2);
        break_it(&mut plan);
        let chain = Chain::new(plan.suite, 2, 1, 1);
        let (pieces, _) = chain.cut(&Arc::new(plan.witness()));
        let circuits = chain.pieces(2);
        // The piece of the tx. The header is in every segment.
        let at = match (scope, part(circuits[2].circuit.statement, rule)) {
            (Scope::Tx(tx), _) => tx,
            (_, "data tree") => 2,
            _ => 1,
        };
        unsatisfied(circuits[at].circuit, &pieces[at], rule);
    }
}

#[test]
fn chaining_reaches_back_over_segments_and_only_where_allowed() {
    let mut plan = five(Suite::Poseidon);
    plan.txs[0][15] = Fr::ONE;
    // The claim has no link any more; tx 3, in segment 2, still has its link.
    plan.txs[1][14] = Fr::ZERO;
    let w = plan.witness();
    let error = tx_rollup::check(plan.suite, 5, &w).unwrap_err();
    let broken = Violation::from((Scope::Tx(3), Rule::ChainNotAllowed));
    assert_eq!(error, broken.into());
    let chain = Chain::new(plan.suite, 5, 2, 1);
    let (pieces, _) = chain.cut(&Arc::new(w));
    let circuit = chain.circuits()[0];
    let parts = [0, 1, 2].map(|at| failing_parts(circuit, &pieces[at]));
    assert_eq!(parts, [vec![], vec!["chaining"], vec![]]);
}
