//! The root rollup statement: real requests, a small world in both suites, and
//! every rule broken alone.
#![expect(clippy::unwrap_used, reason = "a step that fails must fail the test")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/root.rs"]
mod root;
mod rules;
mod words;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use root::{RootPlan, interaction, random, raw};
use words::Words;
use zkwhirl_circuits::field::to_word;
use zkwhirl_circuits::published::place;
use zkwhirl_circuits::root_rollup::{Broadcast, RootSize, broadcast, evaluate, header};
use zkwhirl_circuits::{Suite, statement};
use zkwhirl_job::Request;
use zkwhirl_job::request::RootRollupRequest;

const fn size(inners: u32, slots: u32) -> RootSize {
    RootSize { inners, slots }
}

fn request(name: &str) -> RootRollupRequest {
    match Request::parse(&common::read(name).into()).unwrap() {
        Request::RootRollup(request) => *request,
        other => panic!("{name} is a {}", other.kind()),
    }
}

/// Demands that a witness follows the rules, natively and in rows.
#[track_caller]
fn accepted(plan: &RootPlan) -> Broadcast {
    let w = plan.witness();
    let (published, broken) = evaluate(plan.suite, plan.size, &w);
    assert_eq!(broken, []);
    let report = plan.circuit().check_raw(&raw(&w)).unwrap();
    assert_eq!(report.public_input, published.published().public_input());
    assert_eq!(broadcast(plan.suite, plan.size, &w), published);
    published
}

#[test]
fn real_requests() {
    for (name, size) in [
        ("valid_1x1_1_root_rollup", size(1, 1)),
        ("valid_2x2_2_root_rollup", size(2, 2)),
    ] {
        let request = request(&format!("{name}_request.bin"));
        let statement = statement::root_rollup(Suite::Pedersen, &request, size).unwrap();
        let words = statement.broadcast.words();
        assert_eq!(words.len(), 142 + 8 * size.total_slots());
        // The broadcast data, then the original's own public input.
        let reply = common::reply(&format!("{name}_reply.bin"), words.len() + 1);
        let (must, input_hash) = reply.split_at(words.len());
        assert_eq!(
            words,
            must.iter().map(to_word).collect::<Vec<_>>(),
            "{name}"
        );
        assert_eq!(statement.broadcast.input_hash(), input_hash[0], "{name}");
        let read = Words::of(&statement.broadcast).read(size);
        assert_eq!(read, Ok(statement.broadcast.clone()));
        let circuit = format!("root-rollup/pedersen/{size}").parse::<zkwhirl_circuits::Circuit>();
        let report = circuit.unwrap().check(&request).unwrap();
        assert_eq!(report.public_input, statement.public_input());
    }
}

#[test]
fn sums_trees_and_padding() {
    for suite in Suite::ALL {
        let published = accepted(&RootPlan::new(suite, size(3, 2)));
        let h = published.header();
        assert_eq!(h[place::SLOTS], Fr::from(8u64));
        assert_eq!(h[header::INNERS], Fr::from(4u64));
        assert_eq!(h[place::DATA_START_INDEX], Fr::from(64u64));
        assert_eq!(h[place::OLD_DATA_ROOT], random(100));
        assert_eq!(h[place::NEW_DATA_ROOT], random(102));
        assert_eq!(h[place::NEW_NULL_ROOT], random(202));
        let sums = [1000u64, 1001, 10].map(Fr::from);
        assert_eq!(h[place::DEPOSIT_SUMS..][..3], sums);
        let fees = [31u64, 30, 0].map(Fr::from);
        assert_eq!(h[place::FEES..][..3], fees);
        assert_eq!(h[header::INTERACTIONS], interaction(160).commit(suite));
        assert_eq!(h[header::INTERACTIONS + 2], Fr::ZERO);
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
    // Lists without an entry, and full ones.
    let mut plan = RootPlan::new(Suite::Poseidon, size(1, 1));
    plan.inners[0] = (Vec::new(), Vec::new());
    (plan.bridges, plan.assets) = (Vec::new(), Vec::new());
    accepted(&plan);
    let full = |count: u64| {
        (1..=count)
            .map(|k| (Fr::from(k), Fr::ONE))
            .collect::<Vec<_>>()
    };
    plan.inners[0] = (full(32), full(16));
    plan.bridges = (1..=32u64).rev().map(Fr::from).collect();
    plan.assets = (1..=16u64).rev().map(Fr::from).collect();
    accepted(&plan);
}

#[test]
fn matrices_do_not_depend_on_the_witness() {
    for (suite, size) in [
        (Suite::Poseidon, size(1, 1)),
        (Suite::Poseidon, size(3, 2)),
        (Suite::Pedersen, size(1, 1)),
    ] {
        let plan = RootPlan::new(suite, size);
        let (circuit, w) = (plan.circuit(), raw(&plan.witness()));
        let blank = circuit.matrices();
        let built = circuit.matrices_raw(&w).unwrap();
        assert_eq!(built.digest(), blank.digest(), "{circuit}");
        let assignment = circuit.assign_raw(&w).unwrap();
        assert_eq!(blank.first_unsatisfied(&assignment), None);
    }
}
