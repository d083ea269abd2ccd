//! Checks real requests and a small world in both suites, and breaks each rule alone.

mod padding;
mod rules;
mod words;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};

use super::{Broadcast, RootRollupWitness, RootSize, broadcast, check};
use crate::field::to_word;
use crate::published::place;
use crate::statement::root_rollup::rules::evaluate;
use crate::tests::support::root::{RootPlan, interaction};
use crate::tests::support::{random, rows, vectors};
use crate::{Circuit, Suite};
use words::Words;

const fn size(inners: u32, slots: u32) -> RootSize {
    RootSize { inners, slots }
}

fn evaluated(plan: &RootPlan) -> Broadcast {
    evaluate(plan.suite, plan.size, &plan.witness()).0
}

/// Asserts that a plan follows the rules, natively and in the circuit.
#[track_caller]
fn accepted(plan: &RootPlan) -> Broadcast {
    let (w, statement) = (plan.witness(), evaluated(plan));
    assert_eq!(broadcast(plan.suite, plan.size, &w), statement);
    let public_input = statement.published().public_input();
    rows::accepted(plan.circuit(), w, public_input);
    statement
}

#[test]
fn real_requests() {
    for (name, size) in [
        ("valid_1x1_1_root_rollup", size(1, 1)),
        ("valid_2x2_2_root_rollup", size(2, 2)),
    ] {
        let request = vectors::root_rollup(&format!("{name}_request.bin"));
        let w = RootRollupWitness::new(&request, size).unwrap();
        let statement = check(Suite::Pedersen, size, &w).unwrap();
        let words = statement.words();
        assert_eq!(words.len(), 142 + 8 * size.total_slots());
        // The reply has the broadcast data, then the original's own public input.
        let reply = vectors::reply(&format!("{name}_reply.bin"), words.len() + 1);
        let (must, input_hash) = reply.split_at(words.len());
        let must: Vec<_> = must.iter().map(to_word).collect();
        assert_eq!(words, must, "{name}");
        assert_eq!(statement.input_hash(), input_hash[0], "{name}");
        let read = Words::of(&statement).read(size);
        assert_eq!(read, Ok(statement.clone()));
        let circuit: Circuit = format!("root-rollup/pedersen/{size}").parse().unwrap();
        rows::accepted(circuit, w, statement.published().public_input());
    }
}

#[test]
fn sums_trees_and_padding() {
    for suite in Suite::ALL {
        let published = accepted(&RootPlan::new(suite, size(3, 2)));
        let h = published.header();
        assert_eq!(h[place::SLOTS], Fr::from(8u64));
        assert_eq!(h[141], Fr::from(4u64));
        assert_eq!(h[place::DATA_START_INDEX], Fr::from(64u64));
        assert_eq!(h[place::OLD_DATA_ROOT], random(100));
        assert_eq!(h[place::NEW_DATA_ROOT], random(102));
        assert_eq!(h[place::NEW_NULL_ROOT], random(202));
        let sums = [1000u64, 1001, 10].map(Fr::from);
        assert_eq!(h[place::DEPOSIT_SUMS..][..3], sums);
        let fees = [31u64, 30, 0].map(Fr::from);
        assert_eq!(h[place::FEES..][..3], fees);
        assert_eq!(h[107], interaction(160).commit(suite));
        assert_eq!(h[107 + 2], Fr::ZERO);
        assert_eq!(published.words().len(), 142 + 8 * 8);
    }
}

#[test]
fn any_number_of_inner_rollups_and_interactions() {
    for (inners, of, notes) in [(1, 1, 0), (1, 4, 32), (4, 4, 1)] {
        let mut plan = RootPlan::new(Suite::Poseidon, size(of, 1));
        let one = plan.inners[0].clone();
        plan.inners.resize(inners, one);
        plan.interactions = (0..notes).map(interaction).collect();
        accepted(&plan);
    }
    // Empty lists, and full lists.
    for [bridges, assets] in [[0, 0], [32, 16]] {
        let mut plan = RootPlan::new(Suite::Poseidon, size(1, 1));
        let full = |count: u64| (1..=count).map(|k| (Fr::from(k), Fr::ONE)).collect();
        plan.inners[0] = (full(bridges), full(assets));
        plan.bridges = (1..=bridges).rev().map(Fr::from).collect();
        plan.assets = (1..=assets).rev().map(Fr::from).collect();
        accepted(&plan);
    }
}
