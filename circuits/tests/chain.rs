//! An inner rollup as a chain of circuits: the pieces hold where the whole
//! does, break where it breaks, and fit only in their place.
#![expect(clippy::unwrap_used, reason = "a step that fails must fail the test")]

#[path = "common/broken.rs"]
mod broken;
mod common;
#[path = "common/world.rs"]
mod world;

use std::sync::Arc;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use broken::PLANS;
use world::{Plan, random, tx};
use zkwhirl_circuits::published::{Published, place};
use zkwhirl_circuits::tx_rollup::{
    Chain, NotesWitness, SeamError, Seams, SegmentWitness, ShardWitness, TxRollupWitness, evaluate,
};
use zkwhirl_circuits::{Circuit, Rule, StatementKind, Suite, Witness};

/// A rollup that follows the rules, cut.
struct Cut {
    chain: Chain,
    published: Published,
    allow_chain: Vec<Fr>,
    pieces: Vec<Witness>,
    seams: Seams,
}

impl Cut {
    fn new(plan: &Plan, chain: Chain) -> Self {
        let w = plan.witness();
        let (published, broken) = evaluate(plan.suite, plan.capacity, &w);
        assert_eq!(broken, []);
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

    /// The public inputs that a verifier computes.
    fn public_inputs(&self) -> Vec<Fr> {
        self.chain
            .public_inputs(&self.published, &self.allow_chain, &self.seams)
            .unwrap()
    }

    /// Demands that every row of every piece holds, for the public inputs that
    /// a verifier computes.
    #[track_caller]
    fn holds(&self) {
        let expected = self.public_inputs();
        let circuits = self.circuits();
        assert_eq!([circuits.len(), expected.len()], [self.pieces.len(); 2]);
        for ((circuit, piece), expected) in circuits.iter().zip(&self.pieces).zip(expected) {
            let report = circuit.check_raw(piece).unwrap();
            assert_eq!(report.public_input, expected, "{circuit}");
            assert_eq!(report.rows, circuit.num_rows(), "{circuit}");
        }
    }

    fn segment(&self, at: usize) -> SegmentWitness {
        match &self.pieces[at] {
            Witness::TxSegment(segment) => SegmentWitness::clone(segment),
            other => panic!("{other:?} is no segment"),
        }
    }
}

/// Five txs: a deposit, a claim that chains from it, and in later segments of
/// two a tx that chains from the deposit's second output as well.
fn five(suite: Suite) -> Plan {
    let mut plan = Plan::new(suite, 5);
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

/// The public input that a circuit computes, whether or not rows hold.
fn publishes(circuit: Circuit, witness: Witness) -> Fr {
    circuit.assign_raw(&witness).unwrap().instance[1]
}

fn failing_parts(circuit: Circuit, witness: &Witness) -> Vec<&'static str> {
    let rows = circuit.unsatisfied_raw(witness).unwrap();
    rows.iter().map(|row| row.part).collect()
}

#[test]
fn every_piece_of_a_valid_rollup_holds() {
    let plan = five(Suite::Poseidon);
    Cut::new(&plan, Chain::new(plan.suite, 5, 2, 1)).holds();
    // One tx more than a segment; the last two segments are left out.
    let mut plan = five(Suite::Poseidon);
    plan.txs.truncate(2);
    let cut = Cut::new(&plan, Chain::new(plan.suite, 5, 1, 1));
    assert_eq!(cut.pieces.len(), 3);
    cut.holds();
}

#[test]
fn in_the_pedersen_suite_nullifiers_have_shards_of_their_own() {
    let plan = Plan::new(Suite::Pedersen, 2);
    // Three to a shard: the second is filled up, and no padding path is there.
    let cut = Cut::new(&plan, Chain::new(plan.suite, 2, 1, 3));
    let names: Vec<String> = cut.chain.pieces(2).into_iter().map(|p| p.name).collect();
    assert_eq!(
        names,
        [
            "segment 1 of 2",
            "segment 2 of 2",
            "nullifier shard 1 of 2",
            "nullifier shard 2 of 2",
            "notes"
        ]
    );
    assert_eq!(
        cut.circuits()[2..]
            .iter()
            .map(Circuit::to_string)
            .collect::<Vec<_>>(),
        [
            "tx-nullifiers/pedersen/3",
            "tx-nullifiers/pedersen/3",
            "tx-notes/pedersen/2"
        ]
    );
    cut.holds();
}

#[test]
fn matrices_do_not_depend_on_the_witness() {
    let poseidon = five(Suite::Poseidon);
    let pedersen = Plan::new(Suite::Pedersen, 2);
    for cut in [
        Cut::new(&poseidon, Chain::new(Suite::Poseidon, 5, 2, 1)),
        Cut::new(&pedersen, Chain::new(Suite::Pedersen, 2, 1, 1)),
    ] {
        for circuit in cut.chain.circuits() {
            let blank = circuit.matrices();
            assert_eq!(blank.num_rows, circuit.num_rows(), "{circuit}");
            let last = cut.circuits().iter().rposition(|each| *each == circuit);
            let witness = &cut.pieces[last.unwrap()];
            let built = circuit.matrices_raw(witness).unwrap();
            assert_eq!(built.digest(), blank.digest(), "{circuit}");
        }
    }
}

#[test]
fn every_rule_broken_alone_breaks_its_piece_alone() {
    for (tx, rule, part, break_it) in PLANS {
        let mut plan = Plan::new(Suite::Poseidon, 2);
        break_it(&mut plan);
        let chain = Chain::new(plan.suite, 2, 1, 1);
        let (pieces, _) = chain.cut(&Arc::new(plan.witness()));
        let circuits = chain.pieces(2);
        // The piece of the tx; the header is in every segment.
        let at = match (tx, part) {
            (Some(tx), _) => tx,
            (None, "data tree") => 2,
            (None, _) => 1,
        };
        let parts = failing_parts(circuits[at].circuit, &pieces[at]);
        let entangled = rule == Rule::DepositBridge;
        assert!(parts.contains(&part), "{rule}: {parts:?}");
        assert!(
            entangled || parts.iter().all(|p| *p == part),
            "{rule}: {parts:?}"
        );
    }
}

#[test]
fn chaining_reaches_back_over_segments_and_only_where_allowed() {
    let mut plan = five(Suite::Poseidon);
    plan.txs[0][15] = Fr::ONE;
    // The claim has no link any more; tx 3, in segment 2, still has.
    plan.txs[1][14] = Fr::ZERO;
    let w = plan.witness();
    let (_, broken) = evaluate(plan.suite, 5, &w);
    assert_eq!(broken, [(Some(3), Rule::ChainNotAllowed)]);
    let chain = Chain::new(plan.suite, 5, 2, 1);
    let (pieces, _) = chain.cut(&Arc::new(w));
    let circuit = chain.circuits()[0];
    let parts: Vec<_> = pieces[..3]
        .iter()
        .map(|piece| failing_parts(circuit, piece))
        .collect();
    assert_eq!(parts, [vec![], vec!["chaining"], vec![]]);
}

#[test]
fn a_segment_publishes_the_whole_state_before_it() {
    let cut = Cut::new(&five(Suite::Poseidon), Chain::new(Suite::Poseidon, 5, 2, 1));
    let circuit = cut.circuits()[1];
    let expected = cut.public_inputs()[1];
    type Change = fn(&mut SegmentWitness);
    let changes: [Change; 8] = [
        |s| s.state.sums[0] += Fr::ONE,
        |s| s.state.sums[31] += Fr::ONE,
        |s| s.state.fees[0] += Fr::ONE,
        |s| s.state.fees[15] += Fr::ONE,
        // An output of tx 1 forgotten, another one's permission, one invented.
        |s| s.state.outputs[0][0] = Fr::ZERO,
        |s| s.state.outputs[1][2] = Fr::from(2u64),
        |s| s.state.outputs[5][1] = random(1),
        |s| s.state.outputs.swap(0, 1),
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let mut segment = cut.segment(1);
        change(&mut segment);
        let published = publishes(circuit, Witness::TxSegment(Box::new(segment)));
        assert_ne!(published, expected, "change {at}");
    }
}

#[test]
fn a_segment_fits_only_in_its_place() {
    let cut = Cut::new(&five(Suite::Poseidon), Chain::new(Suite::Poseidon, 5, 2, 1));
    let circuit = cut.circuits()[0];
    let expected = cut.public_inputs();
    for (at, piece) in cut.pieces[..3].iter().enumerate() {
        let published = publishes(circuit, piece.clone());
        for (place, expected) in expected.iter().enumerate() {
            assert_eq!(published == *expected, at == place, "{at} at {place}");
        }
    }
    // Another segment's state, and another nullifier root.
    let mut gap = cut.segment(2);
    gap.state = cut.segment(1).state;
    assert_ne!(
        publishes(circuit, Witness::TxSegment(Box::new(gap))),
        expected[2]
    );
    let mut gap = cut.segment(2);
    gap.null_root = cut.segment(1).null_root;
    let gap = Witness::TxSegment(Box::new(gap));
    assert!(failing_parts(circuit, &gap).contains(&"nullifier tree"));
    assert_ne!(publishes(circuit, gap), expected[2]);
}

#[test]
fn each_seam_is_bound_by_the_two_pieces_beside_it() {
    for (suite, chain) in [
        (Suite::Poseidon, Chain::new(Suite::Poseidon, 5, 2, 1)),
        (Suite::Pedersen, Chain::new(Suite::Pedersen, 5, 2, 4)),
    ] {
        let cut = Cut::new(&five(suite), chain);
        let good = cut.public_inputs();
        let differing = |seams: &Seams| -> Vec<usize> {
            let inputs = chain.public_inputs(&cut.published, &cut.allow_chain, seams);
            let inputs = inputs.unwrap();
            (0..good.len())
                .filter(|at| inputs[*at] != good[*at])
                .collect()
        };
        // Shards come behind the three segments.
        let first = if suite == Suite::Pedersen { 3 } else { 0 };
        for at in 0..2 {
            let mut seams = cut.seams.clone();
            seams.states[at] += Fr::ONE;
            assert_eq!(differing(&seams), [at, at + 1]);
            let mut seams = cut.seams.clone();
            seams.null_roots[at] += Fr::ONE;
            assert_eq!(differing(&seams), [first + at, first + at + 1]);
        }
        let [states, null_roots] = chain.seams(5);
        assert_eq!(
            [states, null_roots],
            [cut.seams.states.len(), cut.seams.null_roots.len()]
        );
    }
}

#[test]
fn a_missing_piece_is_noticed_before_any_proof() {
    let cut = Cut::new(&five(Suite::Pedersen), Chain::new(Suite::Pedersen, 5, 2, 4));
    let refused = |allow_chain: &[Fr], seams: &Seams| {
        let inputs = cut.chain.public_inputs(&cut.published, allow_chain, seams);
        inputs.unwrap_err()
    };
    let mut seams = cut.seams.clone();
    seams.null_roots.pop();
    assert_eq!(
        refused(&cut.allow_chain, &seams).to_string(),
        "1 nullifier roots, expected 2"
    );
    let mut seams = cut.seams.clone();
    seams.states.push(Fr::ZERO);
    assert_eq!(
        refused(&cut.allow_chain, &seams).to_string(),
        "3 states between segments, expected 2"
    );
    assert_eq!(refused(&[], &cut.seams), SeamError::Txs { got: 0, most: 5 });
    assert_eq!(
        refused(&[Fr::ZERO; 6], &cut.seams),
        SeamError::Txs { got: 6, most: 5 }
    );
    // A tx that is published but said to be padding.
    let seams = Seams {
        states: cut.seams.states[..1].to_vec(),
        null_roots: cut.seams.null_roots[..1].to_vec(),
    };
    assert_eq!(
        refused(&cut.allow_chain[..4], &seams),
        SeamError::Padding(4)
    );
}

#[test]
fn the_number_of_txs_is_bound() {
    // A last tx that publishes nothing but zeros: only the count, and the
    // client digest, tell it from padding.
    let mut plan = five(Suite::Poseidon);
    plan.txs.truncate(3);
    let cut = Cut::new(&plan, Chain::new(plan.suite, 5, 2, 1));
    let good = cut.public_inputs();
    let longer = [&cut.allow_chain[..], &[Fr::ZERO]].concat();
    let inputs = cut
        .chain
        .public_inputs(&cut.published, &longer, &cut.seams)
        .unwrap();
    assert_eq!(inputs[0], good[0]);
    assert_ne!(inputs[1], good[1]);
}

#[test]
fn what_the_pieces_share_is_bound() {
    for chain in [
        Chain::new(Suite::Poseidon, 5, 2, 1),
        Chain::new(Suite::Pedersen, 5, 2, 4),
    ] {
        let suite = chain.circuits()[0].suite;
        let cut = Cut::new(&five(suite), chain);
        let good = cut.public_inputs();
        let count = good.len();
        let notes = count - 1;
        let (words, clients) = (cut.published.to_words(), cut.published.clients());
        let (shards, roots) = match suite {
            Suite::Poseidon => (vec![], [0, 2]),
            Suite::Pedersen => (vec![3, 4, 5], [3, 5]),
        };
        let segments = vec![0, 1, 2];
        for (at, expected) in [
            (place::ROLLUP_ID, segments.clone()),
            (place::DATA_START_INDEX, vec![notes]),
            (place::OLD_DATA_ROOT, vec![0, 1, 2, notes]),
            (place::NEW_DATA_ROOT, vec![notes]),
            (place::OLD_NULL_ROOT, vec![roots[0]]),
            (place::NEW_NULL_ROOT, vec![roots[1]]),
            (place::NEW_DEFI_ROOT, segments.clone()),
            (place::BRIDGES + 31, segments.clone()),
            (place::ASSETS + 15, segments.clone()),
            // Sums, and what a tx may be chained from, reach the last state.
            (place::DEPOSIT_SUMS + 1, vec![2]),
            (place::FEES + 1, vec![2]),
            (place::TXS + 8 * 2 + 1, vec![1, 2, notes]),
            (place::TXS + 8 * 2 + 2, vec![1, 2, notes]),
            (place::TXS + 8 * 2 + 5, vec![1]),
            (
                place::TXS + 8 * 2 + 3,
                [vec![1], shards.iter().copied().skip(1).take(1).collect()].concat(),
            ),
        ] {
            let mut words = words.clone();
            words[at][31] ^= 1;
            if at >= place::TXS {
                words[place::INPUTS_HASH] = inputs_hash(&words[place::TXS..]);
            }
            let kind = cut.published.kind();
            let changed = Published::from_words(kind, &words, clients).unwrap();
            let inputs = chain
                .public_inputs(&changed, &cut.allow_chain, &cut.seams)
                .unwrap();
            let differing: Vec<usize> = (0..count).filter(|i| inputs[*i] != good[*i]).collect();
            assert_eq!(differing, expected, "{suite}: field {at}");
        }
        let mut allow_chain = cut.allow_chain.clone();
        allow_chain[0] += Fr::ONE;
        let inputs = chain
            .public_inputs(&cut.published, &allow_chain, &cut.seams)
            .unwrap();
        assert_ne!(inputs[2], good[2], "the last state has every tx's");
    }
}

fn inputs_hash(words: &[[u8; 32]]) -> [u8; 32] {
    let fields: Vec<Fr> = words
        .iter()
        .map(|word| zkwhirl_circuits::field::from_word(word).unwrap())
        .collect();
    zkwhirl_circuits::field::to_word(&zkwhirl_circuits::published::inputs_hash(&fields))
}

fn circuit(suite: Suite, statement: StatementKind) -> Circuit {
    Circuit { suite, statement }
}

#[test]
fn a_shard_refuses_spent_nullifiers_and_wrong_roots() {
    let w = Plan::new(Suite::Poseidon, 2).witness();
    let circuit = circuit(Suite::Poseidon, StatementKind::TxNullifiers { count: 3 });
    let shard = |w: &TxRollupWitness, first: usize, root: Fr| {
        let rollup = Arc::new(w.clone());
        Witness::TxNullifiers(Box::new(ShardWitness {
            rollup,
            first,
            root,
        }))
    };
    let refused = |witness: Witness| failing_parts(circuit, &witness) == ["nullifier tree"];
    assert_eq!(
        failing_parts(circuit, &shard(&w, 0, w.old_null_root)),
        [""; 0]
    );
    let after = w.txs[1].nullifiers[0].new_root;
    assert_eq!(failing_parts(circuit, &shard(&w, 3, after)), [""; 0]);
    // Spent before: its path leads to another root.
    let mut plan = Plan::new(Suite::Poseidon, 2);
    plan.txs[1][3] = random(902);
    let spent = plan.witness();
    assert!(refused(shard(&spent, 0, spent.old_null_root)));
    // Not the root before.
    let parts = failing_parts(circuit, &shard(&w, 0, w.old_null_root + Fr::ONE));
    assert!(parts.iter().all(|part| *part == "nullifier tree") && !parts.is_empty());
    // Not the root after.
    let mut wrong = w.clone();
    wrong.txs[1].nullifiers[0].new_root += Fr::ONE;
    assert!(refused(shard(&wrong, 0, w.old_null_root)));
    // A zero changes nothing, whatever stands in its place.
    let mut zero = w.clone();
    zero.txs[1].fields[4] = Fr::ZERO;
    assert!(
        refused(shard(&zero, 3, after)),
        "the root after must be the root before"
    );
    zero.txs[1].nullifiers[1].new_root = after;
    assert_eq!(failing_parts(circuit, &shard(&zero, 3, after)), [""; 0]);
}

#[test]
fn the_notes_go_to_their_aligned_empty_place() {
    let plan = five(Suite::Poseidon);
    let cut = Cut::new(&plan, Chain::new(plan.suite, 5, 2, 1));
    let circuit = *cut.circuits().last().unwrap();
    let Some(Witness::TxNotes(notes)) = cut.pieces.last() else {
        panic!("the notes come last");
    };
    let with = |change: &dyn Fn(&mut TxRollupWitness)| {
        let mut rollup = TxRollupWitness::clone(&notes.rollup);
        change(&mut rollup);
        let leaves = notes.leaves.clone();
        Witness::TxNotes(Box::new(NotesWitness {
            rollup: Arc::new(rollup),
            leaves,
        }))
    };
    assert_eq!(failing_parts(circuit, &with(&|_| ())), [""; 0]);
    type Change = fn(&mut TxRollupWitness);
    let changes: [Change; 5] = [
        |w| w.new_data_root += Fr::ONE,
        |w| w.old_data_root += Fr::ONE,
        |w| w.data_start_index += Fr::from(8u64),
        |w| w.data_siblings[31] += Fr::ONE,
        |w| w.data_start_index += Fr::from(1u64 << 32),
    ];
    for change in changes {
        let parts = failing_parts(circuit, &with(&change));
        assert!(!parts.is_empty() && parts.iter().all(|part| *part == "data tree"));
    }
    // Other notes with the root that follows from them: they hold, but are not
    // what the segments publish.
    let mut other = NotesWitness::clone(notes);
    other.leaves[3] += Fr::ONE;
    let subtree = zkwhirl_circuits::tree::subtree_root(plan.suite, &other.leaves);
    let rollup = Arc::make_mut(&mut other.rollup);
    let (place, siblings) = (plan.start.into(), &rollup.data_siblings);
    rollup.new_data_root = zkwhirl_circuits::tree::fold(plan.suite, subtree, siblings, place, 4);
    let other = Witness::TxNotes(Box::new(other));
    let report = circuit.check_raw(&other).unwrap();
    assert_ne!(report.public_input, *cut.public_inputs().last().unwrap());
}
