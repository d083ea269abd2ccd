//! Breaks each rule alone, natively and in the circuit.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use zkwhirl_job::request::RootRollupRequest;

use super::size;
use crate::Rule::*;
use crate::Scope::{Inner, Whole};
use crate::Suite;
use crate::field::power_of_two;
use crate::published::{NO_ASSET, place};
use crate::root_rollup::{RootRollupWitness, RootSize, check};
use crate::tests::support::root::{RootPlan, interaction};
use crate::tests::support::rows::{self, Breaker};
use crate::tests::support::{random, vectors};
use crate::tree::fold;

/// Changes that break one rule before the trees are built.
const PLANS: [Breaker<RootPlan>; 18] = [
    (Whole, InnerCount, |p| p.inners.clear()),
    (Whole, Range("rollup id"), |p| {
        p.rollup_id += power_of_two(25)
    }),
    (Whole, Range("rollup beneficiary"), |p| {
        p.beneficiary = power_of_two(160)
    }),
    // The bridge is unknown, or occurs twice in the rollup's list; no filler matches.
    (Inner(1), InnerBridge(0), |p| p.bridges[1] = Fr::from(75u64)),
    (Inner(1), InnerBridge(0), |p| {
        p.bridges.push(Fr::from(77u64))
    }),
    (Inner(0), InnerBridge(1), |p| {
        p.inners[0].0[1].0 = Fr::from(79u64)
    }),
    (Inner(0), InnerAsset(0), |p| p.assets[1] = Fr::from(8u64)),
    (Inner(1), InnerAsset(0), |p| p.assets.push(Fr::ZERO)),
    (Inner(1), InnerAsset(0), |p| {
        p.assets = p.assets.split_off(1)
    }),
    (
        Whole,
        Range("bridge call data of an interaction note"),
        |p| p.interactions[0].bridge = power_of_two(250),
    ),
    (Whole, Range("total input of an interaction note"), |p| {
        p.interactions[1].total_input = power_of_two(252)
    }),
    (Whole, Range("total output a of an interaction note"), |p| {
        p.interactions[1].total_output_a = power_of_two(252)
    }),
    (Whole, Range("total output b of an interaction note"), |p| {
        p.interactions[1].total_output_b = -Fr::ONE
    }),
    (Whole, Range("nonce of an interaction note"), |p| {
        p.interactions[1].nonce = power_of_two(32)
    }),
    (Whole, Range("result of an interaction note"), |p| {
        p.interactions[1].result = Fr::from(2u64)
    }),
    (Whole, OldDataRootsRoot, |p| {
        p.taken_roots.push((7, random(1)))
    }),
    (Whole, OldDefiRoot, |p| {
        p.taken_notes.push((6 * 32, random(1)))
    }),
    (Whole, OldDefiRoot, |p| {
        p.taken_notes.push((6 * 32 + 31, random(1)))
    }),
];

#[test]
fn every_rule_broken_alone_is_unsatisfiable() {
    for (scope, rule, break_it) in PLANS {
        let mut plan = RootPlan::new(Suite::Poseidon, size(3, 2));
        break_it(&mut plan);
        rows::refused(plan.circuit(), plan.witness(), (scope, rule));
    }
}

#[test]
fn inner_rollups_that_do_not_follow_are_unsatisfiable() {
    let plan = RootPlan::new(Suite::Poseidon, size(3, 2));
    for (first, field, rule) in [
        (0, place::SLOTS, InnerSlots),
        (0, place::ROLLUP_ID, InnerRollupId),
        (0, place::OLD_DATA_ROOTS_ROOT, InnerDataRootsRoot),
        (0, place::NEW_DEFI_ROOT, InnerDefiRoot),
        (1, place::DATA_START_INDEX, InnerDataStart),
        (1, place::OLD_DATA_ROOT, InnerDataRoot),
        (1, place::OLD_NULL_ROOT, InnerNullRoot),
    ] {
        for inner in first..2 {
            let mut w = plan.witness();
            w.inners[inner].header[field] += Fr::ONE;
            rows::refused(plan.circuit(), w, (Inner(inner), rule));
        }
    }
}

/// Changes that break one rule after the trees are built.
const WITNESSES: [Breaker<RootRollupWitness>; 3] = [
    (Whole, NewDataRootsRoot, |w| {
        w.new_data_roots_root += Fr::ONE
    }),
    (Whole, NewDefiRoot, |w| {
        w.new_defi_root += Fr::ONE;
        for inner in &mut w.inners {
            inner.header[place::NEW_DEFI_ROOT] += Fr::ONE;
        }
    }),
    (Whole, OldDefiRoot, |w| w.old_defi_root += Fr::ONE),
];

#[test]
fn wrong_roots_and_paths_are_unsatisfiable() {
    for suite in Suite::ALL {
        let plan = RootPlan::new(suite, size(3, 1));
        for (scope, rule, break_it) in WITNESSES {
            let mut w = plan.witness();
            break_it(&mut w);
            rows::refused(plan.circuit(), w, (scope, rule));
        }
        let mut w = plan.witness();
        w.data_roots_siblings[3] += Fr::ONE;
        let leaf = w.inners[1].header[place::NEW_DATA_ROOT];
        w.new_data_roots_root = fold(suite, leaf, &w.data_roots_siblings, 7.into(), 0);
        rows::refused(plan.circuit(), w, OldDataRootsRoot);
    }
}

#[test]
fn more_interactions_than_bridges_are_refused_natively() {
    let mut plan = RootPlan::new(Suite::Poseidon, size(1, 1));
    plan.interactions = (0..33).map(interaction).collect();
    let (statement, w) = (plan.circuit().statement, plan.witness().into());
    let broken = statement.violations(plan.suite, &w);
    assert!(broken.contains(&InteractionCount.into()), "{broken:?}");
}

#[test]
fn requests_that_break_a_rule_are_refused_with_inner_rollup_and_rule() {
    let good = vectors::root_rollup("valid_2x2_2_root_rollup_request.bin");
    type Change = fn(&mut RootRollupRequest);
    let cases: [(RootSize, Change, &str); 7] = [
        (
            size(2, 2),
            |request| request.inner_proofs.swap(0, 1),
            "inner rollup 1: data start index does not follow the inner rollup before",
        ),
        (
            size(1, 2),
            |_| (),
            "number of inner rollups does not fit the circuit",
        ),
        (
            size(2, 32),
            |_| (),
            "inner rollup 0: 187 published fields, expected 364",
        ),
        (
            size(2, 1),
            |_| (),
            "inner rollup 0: inputs hash is not the SHA-256 of the published txs",
        ),
        (
            size(2, 2),
            |request| request.rollup_id = 1,
            "inner rollup 0: rollup id is not the root rollup's id",
        ),
        (
            size(2, 2),
            |request| request.asset_ids.clear(),
            "inner rollup 0: asset id 0 does not match exactly one of the root rollup's",
        ),
        (
            size(2, 2),
            |request| request.asset_ids[0] = NO_ASSET.into(),
            "inner rollup 0: asset id 0 does not match exactly one of the root rollup's",
        ),
    ];
    for (size, change, expected) in cases {
        let mut request = good.clone();
        change(&mut request);
        let checked =
            RootRollupWitness::new(&request, size).and_then(|w| check(Suite::Pedersen, size, &w));
        assert_eq!(checked.unwrap_err().to_string(), expected);
    }
}
