//! The native rules and the circuits say the same about values drawn at
//! random around the limits of the rules.
#![expect(clippy::unwrap_used, reason = "a step that fails must fail the test")]

mod common;
#[path = "common/draws.rs"]
mod draws;
#[path = "common/root.rs"]
mod root;
#[path = "common/world.rs"]
mod world;

use ark_bn254::Fr;
use draws::Draws;
use world::Plan;
use zkwhirl_circuits::claim::{self, ClaimWitness};
use zkwhirl_circuits::field::power_of_two;
use zkwhirl_circuits::root_rollup::{self, RootSize};
use zkwhirl_circuits::{Circuit, StatementKind, Suite, Witness, tx_rollup};

fn claim_field(w: &mut ClaimWitness, which: usize) -> Vec<&mut Fr> {
    match which {
        0 => vec![&mut w.claim.deposit],
        1 => vec![&mut w.claim.bridge, &mut w.defi.bridge],
        2 => vec![&mut w.claim.bridge],
        3 => vec![&mut w.nonce, &mut w.defi.nonce],
        4 => vec![&mut w.defi.nonce],
        5 => vec![&mut w.fee],
        6 => vec![&mut w.claim.value_note_partial],
        7 => vec![&mut w.claim_index],
        8 => vec![&mut w.defi_index],
        9 => vec![&mut w.defi.total_input],
        10 => vec![&mut w.defi.total_output_a],
        11 => vec![&mut w.defi.total_output_b],
        12 => vec![&mut w.defi.result],
        13 => vec![&mut w.output_a],
        14 => vec![&mut w.output_b],
        15 => vec![&mut w.defi.total_output_a, &mut w.output_a],
        16 => vec![&mut w.claim_siblings[7]],
        _ => vec![&mut w.defi_siblings[29]],
    }
}

/// Flips a bit of the bridge call data of both notes.
fn flip(w: &mut ClaimWitness, bit: usize) {
    let set = ark_ff::BigInteger::get_bit(&ark_ff::PrimeField::into_bigint(w.claim.bridge), bit);
    let step = power_of_two(bit);
    w.claim.bridge += if set { -step } else { step };
    w.defi.bridge = w.claim.bridge;
}

#[test]
fn claims() {
    let suite = Suite::Poseidon;
    let circuit = Circuit {
        suite,
        statement: StatementKind::Claim,
    };
    let names = [
        "pedersen/extra_flow_claim_request.bin",
        "pedersen/extra_claim_2_request.bin",
    ];
    let (mut valid, mut invalid) = (0, 0);
    for seed in 1..=300u64 {
        let mut draws = Draws::new(seed);
        let request = common::claim(names[draws.below(2)]);
        let mut w = ClaimWitness::new(&request).unwrap();
        if draws.below(2) == 0 {
            flip(&mut w, draws.below(250));
        }
        for _ in 0..draws.below(3) {
            let which = draws.below(18);
            let value = draws.value(*claim_field(&mut w, which)[0]);
            claim_field(&mut w, which)
                .into_iter()
                .for_each(|field| *field = value);
        }
        if draws.below(10) != 0 {
            w.data_root = w.folded_data_root(suite);
            w.defi_root = w.folded_defi_root(suite);
        }
        let broken = claim::violations(suite, &w);
        let published = claim::published(suite, &w);
        let checked = circuit.check_raw(&Witness::Claim(Box::new(w)));
        assert_eq!(
            checked.is_ok(),
            broken.is_empty(),
            "seed {seed}: {broken:?}, {checked:?}"
        );
        if let Ok(report) = checked {
            assert_eq!(report.public_input, published.public_input(), "seed {seed}");
            valid += 1;
        } else {
            invalid += 1;
        }
    }
    assert!(
        valid > 30 && invalid > 100,
        "{valid} valid, {invalid} invalid"
    );
}

#[test]
fn tx_rollups() {
    let suite = Suite::Poseidon;
    let (mut valid, mut invalid) = (0, 0);
    for seed in 1..=40u64 {
        let mut draws = Draws::new(seed);
        let capacity = 1 + draws.below(2) as u32;
        let mut plan = Plan::new(suite, capacity);
        for _ in 0..1 + draws.below(2) {
            let tx = draws.below(plan.txs.len());
            // Data roots are found by the plan, so field 8 stays.
            let field = [0, 1, 2, 3, 5, 7, 9, 10, 11, 12, 13, 14, 15][draws.below(13)];
            plan.txs[tx][field] = match draws.below(4) {
                0 => plan.txs[tx][draws.below(15)],
                1 => Fr::from(draws.below(7) as u64),
                _ => draws.value(plan.txs[tx][field]),
            };
        }
        let w = plan.witness();
        let (published, broken) = tx_rollup::evaluate(suite, capacity, &w);
        let statement = StatementKind::TxRollup { txs: capacity };
        let circuit = Circuit { suite, statement };
        let checked = circuit.check_raw(&Witness::TxRollup(Box::new(w)));
        assert_eq!(
            checked.is_ok(),
            broken.is_empty(),
            "seed {seed}: {broken:?}, {checked:?}"
        );
        if let Ok(report) = checked {
            assert_eq!(report.public_input, published.public_input(), "seed {seed}");
            valid += 1;
        } else {
            invalid += 1;
        }
    }
    assert!(valid > 5 && invalid > 5, "{valid} valid, {invalid} invalid");
}

/// Changes one value of a root rollup, before or after the trees are built.
fn change(draws: &mut Draws, plan: &mut root::RootPlan) {
    let value = |draws: &mut Draws, old: Fr| draws.value(old);
    let inner = draws.below(plan.inners.len());
    match draws.below(9) {
        0 => plan.rollup_id = Fr::from(draws.below(9) as u64),
        1 => plan.beneficiary = value(draws, plan.beneficiary),
        2 => plan.bridges[1] = Fr::from(75 + draws.below(5) as u64),
        3 => plan.assets[1] = Fr::from(draws.below(3) as u64),
        4 => plan.inners[inner].0[0].0 = Fr::from(76 + draws.below(4) as u64),
        5 => plan.inners[inner].1[0].0 = Fr::from(draws.below(3) as u64),
        6 => plan.inners[inner].0[0].1 = value(draws, Fr::from(7u64)),
        7 => plan.interactions[0].total_input = value(draws, Fr::from(7u64)),
        _ => plan.interactions[1].nonce = value(draws, Fr::from(7u64)),
    }
}

#[test]
fn root_rollups() {
    let suite = Suite::Poseidon;
    let (mut valid, mut invalid) = (0, 0);
    for seed in 1..=60u64 {
        let mut draws = Draws::new(seed);
        let inners = 1 + draws.below(3) as u32;
        let size = RootSize { inners, slots: 1 };
        let mut plan = root::RootPlan::new(suite, size);
        (0..draws.below(3)).for_each(|_| change(&mut draws, &mut plan));
        let mut w = plan.witness();
        if draws.below(4) == 0 {
            let (inner, word) = (draws.below(w.inners.len()), draws.below(11));
            let word = &mut w.inners[inner].header[word];
            *word = draws.value(*word);
        }
        let (published, broken) = root_rollup::evaluate(suite, size, &w);
        let checked = plan.circuit().check_raw(&root::raw(&w));
        assert_eq!(
            checked.is_ok(),
            broken.is_empty(),
            "seed {seed}: {broken:?}, {checked:?}"
        );
        if let Ok(report) = checked {
            let public_input = published.published().public_input();
            assert_eq!(report.public_input, public_input, "seed {seed}");
            valid += 1;
        } else {
            invalid += 1;
        }
    }
    assert!(valid > 8 && invalid > 8, "{valid} valid, {invalid} invalid");
}
