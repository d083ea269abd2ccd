//! The native rules and the circuits say the same about values drawn at
//! random around the limits of the rules.
#![expect(clippy::unwrap_used, reason = "a step that fails must fail the test")]

#[path = "common/clients.rs"]
mod clients;
mod common;
#[path = "common/world.rs"]
mod world;

use ark_bn254::Fr;
use ark_ff::Field;
use clients::{Payment, Registration};
use world::Plan;
use zkwhirl_circuits::account::{self, AccountWitness};
use zkwhirl_circuits::claim::{self, ClaimWitness};
use zkwhirl_circuits::field::power_of_two;
use zkwhirl_circuits::join_split::{self, JoinSplitWitness};
use zkwhirl_circuits::{Circuit, StatementKind, Suite, Witness, tx_rollup};

/// A small generator of draws: a failure names the seed that repeats it.
struct Draws(u64);

impl Draws {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    /// A value near the one that stands there, near a limit, or anywhere.
    fn value(&mut self, old: Fr) -> Fr {
        let limits = [29, 30, 32, 64, 241, 242, 250, 251, 252];
        match self.below(8) {
            0 => old + Fr::ONE,
            1 => old - Fr::ONE,
            2 => Fr::from(self.below(8) as u64),
            3 => power_of_two(limits[self.below(limits.len())]),
            4 => power_of_two(limits[self.below(limits.len())]) - Fr::ONE,
            5 => old.double(),
            6 => -Fr::from(self.below(3) as u64),
            _ => world::random(self.0),
        }
    }
}

trait Double {
    fn double(&self) -> Self;
}

impl Double for Fr {
    fn double(&self) -> Self {
        ark_ff::AdditiveGroup::double(self)
    }
}

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
        let mut draws = Draws(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
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
        let mut draws = Draws(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
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

fn payment_field(w: &mut JoinSplitWitness, which: usize) -> &mut Fr {
    let (input, output) = (which % 2, which % 2);
    match which / 2 {
        0 => &mut w.inputs[input].value,
        1 => &mut w.outputs[output].value,
        2 => &mut w.inputs[input].secret,
        3 => &mut w.inputs[input].creator,
        4 => &mut w.inputs[input].input_nullifier,
        5 => &mut w.inputs[input].index,
        6 => &mut w.inputs[input].siblings[3],
        7 => &mut w.outputs[output].partial.secret,
        8 => &mut w.outputs[output].partial.owner.0,
        9 => &mut w.outputs[output].partial.creator,
        10 if which == 20 => &mut w.proof_id,
        10 => &mut w.public_value,
        11 if which == 22 => &mut w.public_owner,
        11 => &mut w.asset,
        12 if which == 24 => &mut w.bridge,
        12 => &mut w.deposit,
        13 if which == 26 => &mut w.fee,
        13 => &mut w.backward_link,
        14 if which == 28 => &mut w.signer.alias_hash,
        14 => &mut w.signer.key.1,
        15 if which == 30 => &mut w.signer.signature.s,
        _ => &mut w.signer.signature.e,
    }
}

#[test]
fn payments() {
    let circuit: Circuit = "join-split/poseidon".parse().unwrap();
    let starts = [
        Payment::new,
        Payment::withdrawal,
        Payment::deposit,
        Payment::defi_deposit,
        Payment::registered,
    ];
    let (mut valid, mut invalid) = (0, 0);
    for seed in 1..=150u64 {
        let mut draws = Draws(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut payment = starts[draws.below(5)]();
        let w = &mut payment.w;
        for _ in 0..draws.below(3) {
            let which = draws.below(32);
            let field = payment_field(w, which);
            *field = draws.value(*field);
            if which < 4 && draws.below(2) == 0 {
                // What is too much, or too little, goes to the fee.
                let before = w.inputs[0].value + w.inputs[1].value;
                let out = w.outputs[0].value + w.outputs[1].value;
                let public = match zkwhirl_circuits::field::small(&w.proof_id) {
                    Some(1) => w.public_value,
                    Some(2) => -w.public_value,
                    _ => Fr::from(0u64),
                };
                w.fee = before + public - out - w.deposit;
            }
        }
        match draws.below(8) {
            0 => w.allow_chain[draws.below(2)] ^= true,
            1 => w.inputs[draws.below(2)].in_use ^= true,
            2 => w.account_required ^= true,
            3 => w.backward_link = w.input_commitment(draws.below(2)),
            _ => {}
        }
        match draws.below(4) {
            0 => {}
            1 => payment.w.sign(&payment.signs),
            _ => payment.settle(),
        }
        let w = payment.w;
        let broken = join_split::violations(&w);
        let published = join_split::published(&w);
        let checked = circuit.check_raw(&Witness::JoinSplit(Box::new(w)));
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
        valid > 20 && invalid > 40,
        "{valid} valid, {invalid} invalid"
    );
}

fn account_field(w: &mut AccountWitness, which: usize) -> &mut Fr {
    match which {
        0 => &mut w.data_root,
        1 => &mut w.account_key_x,
        2 | 3 => &mut w.new_keys[which - 2],
        4 => &mut w.signer.alias_hash,
        5 => &mut w.signer.index,
        6 => &mut w.signer.siblings[31],
        7 => &mut w.signer.key.0,
        8 => &mut w.signer.key.1,
        9 => &mut w.signer.signature.s,
        _ => &mut w.signer.signature.e,
    }
}

#[test]
fn accounts() {
    let circuit: Circuit = "account/poseidon".parse().unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for seed in 1..=100u64 {
        let mut draws = Draws(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut registration = [Registration::new, Registration::another_key][draws.below(2)]();
        for _ in 0..draws.below(3) {
            let field = account_field(&mut registration.w, draws.below(11));
            *field = draws.value(*field);
        }
        registration.w.create ^= draws.below(8) == 0;
        match draws.below(4) {
            0 => {}
            1 => registration.w.sign(&registration.signs),
            _ => registration.settle(),
        }
        let w = registration.w;
        let broken = account::violations(&w);
        let published = account::published(&w);
        let checked = circuit.check_raw(&Witness::Account(Box::new(w)));
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
        valid > 20 && invalid > 20,
        "{valid} valid, {invalid} invalid"
    );
}
