//! Every rule broken alone, natively and in rows.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use zkwhirl_job::request::RootRollupRequest;

use super::size;
use crate::field::power_of_two;
use crate::published::{NO_ASSET, place};
use crate::root_rollup::{RootRollupWitness, RootSize, check};
use crate::tests::support::root::{RootPlan, interaction};
use crate::tests::support::{random, rows, vectors};
use crate::tree::fold;
use crate::{Rule, Suite};

/// Demands that exactly one rule is broken, and that only rows of one part
/// of the circuit notice.
#[track_caller]
fn refused(plan: &RootPlan, w: RootRollupWitness, broken: (Option<usize>, Rule), part: &str) {
    rows::refused(plan.circuit(), w, rows::by_inner(broken.0, broken.1), part);
}

type Breaker = (Option<usize>, Rule, &'static str, fn(&mut RootPlan));

/// Ways to break one rule before the trees are built.
const PLANS: [Breaker; 18] = [
    (None, Rule::InnerCount, "inner rollups", |p| {
        p.inners.clear()
    }),
    (None, Rule::Range("rollup id"), "header", |p| {
        p.rollup_id += power_of_two(25)
    }),
    (None, Rule::Range("rollup beneficiary"), "header", |p| {
        p.beneficiary = power_of_two(160)
    }),
    // Unknown, twice in the rollup's list, and no filler to match.
    (Some(1), Rule::InnerBridge(0), "bridges and fees", |p| {
        p.bridges[1] = Fr::from(75u64)
    }),
    (Some(1), Rule::InnerBridge(0), "bridges and fees", |p| {
        p.bridges.push(Fr::from(77u64))
    }),
    (Some(0), Rule::InnerBridge(1), "bridges and fees", |p| {
        p.inners[0].0[1].0 = Fr::from(79u64)
    }),
    (Some(0), Rule::InnerAsset(0), "bridges and fees", |p| {
        p.assets[1] = Fr::from(8u64)
    }),
    (Some(1), Rule::InnerAsset(0), "bridges and fees", |p| {
        p.assets.push(Fr::ZERO)
    }),
    (Some(1), Rule::InnerAsset(0), "bridges and fees", |p| {
        p.assets.remove(0);
    }),
    (
        None,
        Rule::Range("bridge call data of an interaction note"),
        "interaction notes",
        |p| p.interactions[0].bridge = power_of_two(250),
    ),
    (
        None,
        Rule::Range("total input of an interaction note"),
        "interaction notes",
        |p| p.interactions[1].total_input = power_of_two(252),
    ),
    (
        None,
        Rule::Range("total output a of an interaction note"),
        "interaction notes",
        |p| p.interactions[1].total_output_a = power_of_two(252),
    ),
    (
        None,
        Rule::Range("total output b of an interaction note"),
        "interaction notes",
        |p| p.interactions[1].total_output_b = -Fr::ONE,
    ),
    (
        None,
        Rule::Range("nonce of an interaction note"),
        "interaction notes",
        |p| p.interactions[1].nonce = power_of_two(32),
    ),
    (
        None,
        Rule::Range("result of an interaction note"),
        "interaction notes",
        |p| p.interactions[1].result = Fr::from(2u64),
    ),
    (None, Rule::OldDataRootsRoot, "data roots tree", |p| {
        p.taken_roots.push((7, random(1)))
    }),
    (None, Rule::OldDefiRoot, "defi tree", |p| {
        p.taken_notes.push((6 * 32, random(1)))
    }),
    (None, Rule::OldDefiRoot, "defi tree", |p| {
        p.taken_notes.push((6 * 32 + 31, random(1)))
    }),
];

#[test]
fn every_rule_broken_alone_is_unsatisfiable() {
    for (inner, rule, part, break_it) in PLANS {
        let mut plan = RootPlan::new(Suite::Poseidon, size(3, 2));
        break_it(&mut plan);
        refused(&plan, plan.witness(), (inner, rule), part);
    }
}

#[test]
fn inner_rollups_that_do_not_follow_are_unsatisfiable() {
    let plan = RootPlan::new(Suite::Poseidon, size(3, 2));
    let good = plan.witness();
    for (inner, field, rule) in [
        (0, place::SLOTS, Rule::InnerSlots),
        (1, place::SLOTS, Rule::InnerSlots),
        (0, place::ROLLUP_ID, Rule::InnerRollupId),
        (1, place::ROLLUP_ID, Rule::InnerRollupId),
        (0, place::OLD_DATA_ROOTS_ROOT, Rule::InnerDataRootsRoot),
        (1, place::OLD_DATA_ROOTS_ROOT, Rule::InnerDataRootsRoot),
        (0, place::NEW_DEFI_ROOT, Rule::InnerDefiRoot),
        (1, place::NEW_DEFI_ROOT, Rule::InnerDefiRoot),
        (1, place::DATA_START_INDEX, Rule::InnerDataStart),
        (1, place::OLD_DATA_ROOT, Rule::InnerDataRoot),
        (1, place::OLD_NULL_ROOT, Rule::InnerNullRoot),
    ] {
        let mut w = good.clone();
        w.inners[inner].header[field] += Fr::ONE;
        refused(&plan, w, (Some(inner), rule), "inner rollups");
    }
}

#[test]
fn wrong_roots_and_paths_are_unsatisfiable() {
    for suite in Suite::ALL {
        let plan = RootPlan::new(suite, size(3, 1));
        let good = plan.witness();
        let check = |rule, part, break_it: &dyn Fn(&mut RootRollupWitness)| {
            let mut w = good.clone();
            break_it(&mut w);
            refused(&plan, w, (None, rule), part);
        };
        check(Rule::NewDataRootsRoot, "data roots tree", &|w| {
            w.new_data_roots_root += Fr::ONE
        });
        check(Rule::OldDataRootsRoot, "data roots tree", &|w| {
            w.data_roots_siblings[3] += Fr::ONE;
            let leaf = w.inners[1].header[place::NEW_DATA_ROOT];
            w.new_data_roots_root = fold(suite, leaf, &w.data_roots_siblings, 7.into(), 0);
        });
        check(Rule::NewDefiRoot, "defi tree", &|w| {
            w.new_defi_root += Fr::ONE;
            for inner in &mut w.inners {
                inner.header[place::NEW_DEFI_ROOT] += Fr::ONE;
            }
        });
        check(Rule::OldDefiRoot, "defi tree", &|w| {
            w.old_defi_root += Fr::ONE
        });
    }
}

#[test]
fn more_interactions_than_bridges_are_refused_natively() {
    let mut plan = RootPlan::new(Suite::Poseidon, size(1, 1));
    plan.interactions = (0..33).map(interaction).collect();
    let circuit = plan.circuit();
    let broken = circuit
        .statement
        .violations(plan.suite, &plan.witness().into());
    assert!(
        broken.contains(&Rule::InteractionCount.into()),
        "{broken:?}"
    );
}

#[test]
fn requests_that_break_a_rule_are_refused_with_inner_rollup_and_rule() {
    let good = vectors::root_rollup("valid_2x2_2_root_rollup_request.bin");
    let refused = |request: &RootRollupRequest, size: RootSize| {
        let checked =
            RootRollupWitness::new(request, size).and_then(|w| check(Suite::Pedersen, size, &w));
        checked.unwrap_err().to_string()
    };
    let mut swapped = good.clone();
    swapped.inner_proofs.swap(0, 1);
    assert_eq!(
        refused(&swapped, size(2, 2)),
        "inner rollup 1: data start index does not follow the inner rollup before"
    );
    assert_eq!(
        refused(&good, size(1, 2)),
        "number of inner rollups does not fit the circuit"
    );
    assert_eq!(
        refused(&good, size(2, 32)),
        "inner rollup 0: 187 published fields, expected 364"
    );
    assert_eq!(
        refused(&good, size(2, 1)),
        "inner rollup 0: inputs hash is not the SHA-256 of the published txs"
    );
    let mut other = good.clone();
    other.rollup_id = 1;
    assert_eq!(
        refused(&other, size(2, 2)),
        "inner rollup 0: rollup id is not the root rollup's"
    );
    let mut no_assets = good.clone();
    no_assets.asset_ids.clear();
    assert_eq!(
        refused(&no_assets, size(2, 2)),
        "inner rollup 0: asset id 0 does not match exactly one of the root rollup's"
    );
    let mut filler = good;
    filler.asset_ids[0] = NO_ASSET.into();
    assert!(refused(&filler, size(2, 2)).contains("asset id 0"));
}
