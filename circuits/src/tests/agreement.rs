//! Compares the native rules with the circuits for values drawn at random
//! around the limits of the rules.

use ark_bn254::Fr;

use super::support::draws::Draws;
use super::support::root::RootPlan;
use super::support::world::TxPlan;
use super::support::{flipped, vectors};
use crate::account::{self, AccountWitness};
use crate::claim::{self, ClaimWitness};
use crate::field::small;
use crate::join_split::{self, JoinSplitWitness};
use crate::root_rollup::{self, RootSize};
use crate::schnorr::PrivateKey;
use crate::test_util::{ClientTx, Payment, Registration, Settle};
use crate::{Circuit, Suite, Witness};

const SUITE: Suite = Suite::Poseidon;

/// Asserts that native code and the circuit agree about drawn witnesses and
/// their public inputs; more than `valid` witnesses follow the rules, and more
/// than `invalid` do not.
fn agree<W: Into<Witness>>(
    seeds: u64,
    [valid, invalid]: [usize; 2],
    draw: impl Fn(&mut Draws) -> (Circuit, W, Fr),
) {
    let mut counts = [0, 0];
    for seed in 1..=seeds {
        let (circuit, w, public_input) = draw(&mut Draws::new(seed));
        let w = w.into();
        let broken = circuit.statement.violations(circuit.suite, &w);
        let checked = circuit.check_raw(&w);
        let agree = checked.is_ok() == broken.is_empty();
        assert!(agree, "seed {seed}: {broken:?}, {checked:?}");
        counts[usize::from(checked.is_err())] += 1;
        if let Ok(report) = checked {
            assert_eq!(report.public_input, public_input, "seed {seed}");
        }
    }
    assert!(counts[0] > valid && counts[1] > invalid, "{counts:?}");
}

fn circuit(statement: &str) -> Circuit {
    format!("{statement}/{SUITE}").parse().unwrap()
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

#[test]
fn claims() {
    agree(300, [30, 100], |draws| {
        let name = ["extra_flow_claim", "extra_claim_2"][draws.below(2)];
        let request = vectors::claim(&format!("pedersen/{name}_request.bin"));
        let mut w = ClaimWitness::new(&request).unwrap();
        if draws.below(2) == 0 {
            w.claim.bridge = flipped(w.claim.bridge, draws.below(250));
            w.defi.bridge = w.claim.bridge;
        }
        for _ in 0..draws.below(3) {
            let which = draws.below(18);
            let value = draws.value(*claim_field(&mut w, which)[0]);
            let fields = claim_field(&mut w, which).into_iter();
            fields.for_each(|field| *field = value);
        }
        if draws.below(10) != 0 {
            w = w.refolded(SUITE);
        }
        let public_input = claim::published(SUITE, &w).public_input();
        (circuit("claim"), w, public_input)
    });
}

#[test]
fn tx_rollups() {
    agree(40, [5, 5], |draws| {
        let mut plan = TxPlan::new(SUITE, 1 + draws.below(2) as u32);
        for _ in 0..1 + draws.below(2) {
            let tx = draws.below(plan.txs.len());
            // The plan finds data roots by field 8, so field 8 stays.
            let field = [0, 1, 2, 3, 5, 7, 9, 10, 11, 12, 13, 14, 15][draws.below(13)];
            plan.txs[tx][field] = match draws.below(4) {
                0 => plan.txs[tx][draws.below(15)],
                1 => Fr::from(draws.below(7) as u64),
                _ => draws.value(plan.txs[tx][field]),
            };
        }
        let w = plan.witness();
        let public_input = plan.published(&w).public_input();
        (plan.circuit(), w, public_input)
    });
}

/// Changes one value of a root rollup, before or after the trees are built.
fn change(draws: &mut Draws, plan: &mut RootPlan) {
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
    agree(60, [8, 8], |draws| {
        let inners = 1 + draws.below(3) as u32;
        let size = RootSize { inners, slots: 1 };
        let mut plan = RootPlan::new(SUITE, size);
        (0..draws.below(3)).for_each(|_| change(draws, &mut plan));
        let mut w = plan.witness();
        if draws.below(4) == 0 {
            let (inner, word) = (draws.below(w.inners.len()), draws.below(11));
            let word = &mut w.inners[inner].header[word];
            *word = draws.value(*word);
        }
        let broadcast = root_rollup::broadcast(SUITE, size, &w);
        (plan.circuit(), w, broadcast.published().public_input())
    });
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
    let starts = [
        Payment::send,
        Payment::withdrawal,
        Payment::deposit,
        Payment::defi_deposit,
        Payment::registered,
    ];
    agree(150, [20, 40], |draws| {
        let mut payment = starts[draws.below(5)]();
        let w = &mut payment.w;
        for _ in 0..draws.below(3) {
            let which = draws.below(32);
            let field = payment_field(w, which);
            *field = draws.value(*field);
            if which < 4 && draws.below(2) == 0 {
                // The fee takes the difference, positive or negative.
                let before = w.inputs[0].value + w.inputs[1].value;
                let out = w.outputs[0].value + w.outputs[1].value;
                let public = match small(&w.proof_id) {
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
        complete(draws, &mut payment, JoinSplitWitness::sign);
        let public_input = join_split::published(&payment.w).public_input();
        (circuit("join-split"), payment.w, public_input)
    });
}

/// Settles and signs half of the txs, only signs a quarter, leaves a quarter.
fn complete<W: Settle>(draws: &mut Draws, tx: &mut ClientTx<W>, sign: fn(&mut W, &PrivateKey)) {
    match draws.below(4) {
        0 => {}
        1 => sign(&mut tx.w, &tx.signs),
        _ => tx.settle(),
    }
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
    agree(100, [20, 20], |draws| {
        let mut registration = [Registration::create, Registration::another_key][draws.below(2)]();
        for _ in 0..draws.below(3) {
            let field = account_field(&mut registration.w, draws.below(11));
            *field = draws.value(*field);
        }
        registration.w.create ^= draws.below(8) == 0;
        complete(draws, &mut registration, AccountWitness::sign);
        let public_input = account::published(&registration.w).public_input();
        (circuit("account"), registration.w, public_input)
    });
}
