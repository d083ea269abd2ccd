//! The native rules and the circuits of clients say the same about values
//! drawn at random around the limits of the rules.

#[path = "common/clients.rs"]
mod clients;
#[path = "common/draws.rs"]
mod draws;

use ark_bn254::Fr;
use clients::{Payment, Registration};
use draws::Draws;
use zkwhirl_circuits::account::{self, AccountWitness};
use zkwhirl_circuits::join_split::{self, JoinSplitWitness};
use zkwhirl_circuits::{Circuit, Witness};

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
        let mut draws = Draws::new(seed);
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
        let mut draws = Draws::new(seed);
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
