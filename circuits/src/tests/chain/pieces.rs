//! Shards of nullifiers and the piece of notes, each tested alone.

use std::sync::Arc;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};

use super::{Cut, failing_parts, five};
use crate::tests::support::random;
use crate::tests::support::world::TxPlan;
use crate::tree::{fold, subtree_root};
use crate::tx_rollup::{NotesWitness, ShardWitness, TxRollupWitness};
use crate::{Chain, Circuit, Suite, Witness};

#[test]
fn a_shard_refuses_spent_nullifiers_and_wrong_roots() {
    let w = TxPlan::new(Suite::Poseidon, 2).witness();
    let circuit: Circuit = "tx-nullifiers/poseidon/3".parse().unwrap();
    let failing = |w: &TxRollupWitness, first: usize, root: Fr| {
        let rollup = Arc::new(w.clone());
        let shard = ShardWitness {
            rollup,
            first,
            root,
        };
        failing_parts(circuit, &shard.into())
    };
    let after = w.txs[1].nullifiers[0].new_root;
    assert_eq!(failing(&w, 0, w.old_null_root), [""; 0]);
    assert_eq!(failing(&w, 3, after), [""; 0]);
    // A nullifier that was spent before: its path leads to another root.
    let mut plan = TxPlan::new(Suite::Poseidon, 2);
    plan.txs[1][3] = random(902);
    let spent = plan.witness();
    assert_eq!(failing(&spent, 0, spent.old_null_root), ["nullifier tree"]);
    // A wrong root before the shard.
    let parts = failing(&w, 0, w.old_null_root + Fr::ONE);
    assert!(parts.iter().all(|part| *part == "nullifier tree") && !parts.is_empty());
    // A wrong root after the shard.
    let mut wrong = w.clone();
    wrong.txs[1].nullifiers[0].new_root += Fr::ONE;
    assert_eq!(failing(&wrong, 0, w.old_null_root), ["nullifier tree"]);
    // A zero changes nothing: the roots before and after it are equal.
    let mut zero = w.clone();
    zero.txs[1].fields[4] = Fr::ZERO;
    assert_eq!(failing(&zero, 3, after), ["nullifier tree"]);
    zero.txs[1].nullifiers[1].new_root = after;
    assert_eq!(failing(&zero, 3, after), [""; 0]);
}

#[test]
fn the_notes_go_to_their_aligned_empty_place() {
    let plan = five(Suite::Poseidon);
    let cut = Cut::new(&plan, Chain::new(plan.suite, 5, 2, 1));
    let circuit = *cut.circuits().last().unwrap();
    let Some(Witness::TxNotes(notes)) = cut.pieces.last() else {
        panic!("the last piece must be the notes");
    };
    let with = |change: &dyn Fn(&mut TxRollupWitness)| {
        let mut rollup = TxRollupWitness::clone(&notes.rollup);
        change(&mut rollup);
        let (rollup, leaves) = (Arc::new(rollup), notes.leaves.clone());
        Witness::from(NotesWitness { rollup, leaves })
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
    // Other notes with a matching new root satisfy the circuit, but the
    // segments do not publish these notes.
    let mut other = NotesWitness::clone(notes);
    other.leaves[3] += Fr::ONE;
    let subtree = subtree_root(plan.suite, &other.leaves);
    let rollup = Arc::make_mut(&mut other.rollup);
    let (place, siblings) = (plan.start.into(), &rollup.data_siblings);
    rollup.new_data_root = fold(plan.suite, subtree, siblings, place, 4);
    let report = circuit.check_raw(&other.into()).unwrap();
    assert_ne!(report.public_input, *cut.public_inputs().last().unwrap());
}
