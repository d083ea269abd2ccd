//! Rules about values, kinds and notes, each broken alone.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};

use super::{CIRCUIT, JoinSplitWitness, refused};
use crate::Rule::{self, *};
use crate::field::power_of_two;
use crate::statement::join_split::rules::violations;
use crate::test_util::{Payment, key, random};
use crate::tests::support::rows::failing_parts;

/// A rule, and a change of values that breaks it.
type PaymentBreaker = (Rule, fn(&mut JoinSplitWitness));

/// Asserts that each change breaks only its rule; the payment is settled and
/// signed after the change.
#[track_caller]
fn refused_settled(start: fn() -> Payment, breakers: &[PaymentBreaker]) {
    for (rule, break_it) in breakers {
        refused(start().settled(break_it), *rule);
    }
}

/// Sets an input note's value to 2²⁵².
fn wide_input(w: &mut JoinSplitWitness, which: usize) {
    w.inputs[which].value = power_of_two(252);
    w.inputs[1 - which].value = Fr::ZERO;
    halves(w);
}

fn halves(w: &mut JoinSplitWitness) {
    let half = power_of_two(251);
    (w.outputs[0].value, w.outputs[1].value) = (half, half - w.fee);
}

/// Sets a negative amount on one side, which would create money on the other.
fn negative_output(w: &mut JoinSplitWitness, which: usize) {
    w.outputs[which].value = -Fr::from(5u64);
    w.outputs[1 - which].value = Fr::from(1095u64);
}

#[test]
fn amounts_out_of_range() {
    let sends: [PaymentBreaker; 7] = [
        (Range("input value 1"), |w| wide_input(w, 0)),
        (Range("input value 2"), |w| wide_input(w, 1)),
        (Range("output value 1"), |w| negative_output(w, 0)),
        (Range("output value 2"), |w| negative_output(w, 1)),
        (Range("fee"), |w| {
            w.inputs[0].value += power_of_two(242) - w.fee;
            w.fee = power_of_two(242);
        }),
        (Range("fee"), |w| {
            w.outputs[1].value += w.fee + Fr::from(9u64);
            w.fee = -Fr::from(9u64);
        }),
        (Range("asset"), |w| w.asset = power_of_two(30)),
    ];
    refused_settled(Payment::send, &sends);
    let defi_deposits: [PaymentBreaker; 2] = [
        (Range("deposit"), |w| {
            w.inputs[0].value += power_of_two(242) - w.deposit;
            w.deposit = power_of_two(242);
        }),
        (Range("deposit"), |w| {
            w.outputs[1].value += w.deposit + Fr::from(9u64);
            w.deposit = -Fr::from(9u64);
        }),
    ];
    refused_settled(Payment::defi_deposit, &defi_deposits);
    let deposit = Payment::deposit().settled(|w| {
        w.public_value = power_of_two(252);
        halves(w);
    });
    refused(deposit, Range("public value"));
}

#[test]
fn other_values_out_of_range() {
    let owner = Payment::withdrawal().settled(|w| w.public_owner = power_of_two(160));
    refused(owner, Range("public owner"));
    let account = Payment::registered().changed(|w| w.signer.index += power_of_two(32));
    refused(account, Range("account note index"));
    for (which, name) in [(0, "input note index 1"), (1, "input note index 2")] {
        let far = Payment::send().changed(|w| w.inputs[which].index += power_of_two(32));
        refused(far, Range(name));
    }
}

#[test]
fn kinds() {
    for id in [0u64, 4, 6, 7] {
        let other = Payment::send().settled(|w| w.proof_id = Fr::from(id));
        refused(other, PaymentKind);
    }
}

#[test]
fn what_is_given_by_some_kinds_only() {
    let sends: [PaymentBreaker; 4] = [
        (PublicOnly("public value"), |w| w.public_value = Fr::ONE),
        (PublicOnly("public owner"), |w| w.public_owner = Fr::ONE),
        (DepositOnly("deposit value"), |w| {
            w.deposit = Fr::from(100u64);
            w.outputs[1].value -= w.deposit;
        }),
        (DepositOnly("bridge call data"), |w| w.bridge(|_| {})),
    ];
    refused_settled(Payment::send, &sends);
    let nothing = Payment::withdrawal().settled(|w| {
        w.outputs[0].value = w.public_value;
        w.public_value = Fr::ZERO;
    });
    refused(nothing, PublicOnly("public value"));
    let nobody = Payment::deposit().settled(|w| w.public_owner = Fr::ZERO);
    refused(nobody, PublicOnly("public owner"));
    for start in [Payment::deposit, Payment::withdrawal] {
        let unreal = start().settled(|w| w.asset = power_of_two(29));
        refused(unreal, PublicVirtual);
    }
}

#[test]
fn defi_deposits() {
    let breakers: [PaymentBreaker; 10] = [
        (DepositOnly("deposit value"), |w| {
            w.outputs[1].value += w.deposit;
            w.deposit = Fr::ZERO;
        }),
        (ClaimValue, |w| {
            w.outputs[0].value = Fr::ONE;
            w.outputs[1].value -= Fr::ONE;
        }),
        (ChainClaim, |w| {
            w.outputs[0].partial.owner = w.owner();
            w.allow_chain[0] = true;
        }),
        (BridgeBits, |w| w.bridge += power_of_two(154)),
        (SecondInputUnused, |w| w.bridge(|data| data.input_b = 9)),
        (SecondOutputUnused, |w| w.bridge(|data| data.output_b = 9)),
        (TwoInputs, |w| {
            w.bridge(|data| (data.second_input, data.input_b) = (true, 9))
        }),
        (EqualOutputs, |w| {
            w.bridge(|data| (data.second_output, data.output_b) = (true, data.output_a))
        }),
        (VirtualOutput, |w| {
            w.bridge(|data| data.output_a = (1 << 29) + 1)
        }),
        (BridgeAsset, |w| w.bridge(|data| data.input_a = 4)),
    ];
    refused_settled(Payment::defi_deposit, &breakers);
}

#[test]
fn input_notes() {
    let deposits: [PaymentBreaker; 5] = [
        (NoInput, |w| {
            w.proof_id = Fr::from(3u64);
            (w.public_value, w.public_owner, w.fee) = (Fr::ZERO, Fr::ZERO, Fr::ZERO);
            w.outputs.iter_mut().for_each(|note| note.value = Fr::ZERO);
        }),
        (InputOrder, |w| w.inputs[1].in_use = true),
        // Money from nothing: a note that does not exist has a value.
        (UnusedValue(1), |w| invented(w, 0)),
        (UnusedValue(2), |w| invented(w, 1)),
        // The link must name a note that is used.
        (BackwardLink, |w| w.backward_link = w.input_commitment(1)),
    ];
    refused_settled(Payment::deposit, &deposits);
    for (which, number) in [(0, 1), (1, 2)] {
        let nowhere = Payment::send().changed(|w| w.inputs[which].siblings[7] += Fr::ONE);
        refused(nowhere, InputNote(number));
    }
    let anything = Payment::send().settled(|w| w.backward_link = random(7));
    refused(anything, BackwardLink);
}

fn invented(w: &mut JoinSplitWitness, which: usize) {
    w.inputs[which].value = Fr::from(50u64);
    w.outputs[0].value += Fr::from(50u64);
}

/// Another private key gives other commitments, which are in no tree.
#[test]
fn notes_of_another_owner() {
    let payment = Payment::send().signed_by(key(2)).changed(|w| {
        w.owned_by(key(2).element());
        w.sign(&key(2));
    });
    let missing = [1, 2].map(|number| InputNote(number).into());
    assert_eq!(violations(&payment.w), missing);
    let parts = failing_parts(CIRCUIT, &payment.w.into());
    assert_eq!(parts, ["input note membership"; 2]);
}

#[test]
fn output_notes() {
    for (which, number) in [(0, 1), (1, 2)] {
        let creator = key(5).public().x();
        let forged = Payment::send().settled(|w| w.outputs[which].partial.creator = creator);
        refused(forged, Creator(number));
        for (x, y) in [(Fr::ONE, Fr::ZERO), (Fr::ZERO, Fr::ONE)] {
            let foreign = Payment::send().settled(|w| {
                let owner = w.owner();
                w.outputs[which].partial.owner = (owner.0 + x, owner.1 + y);
                w.allow_chain = [which == 0, which == 1];
            });
            refused(foreign, ChainOwner(number));
        }
    }
}

#[test]
fn what_goes_in_goes_out() {
    for start in [
        Payment::send,
        Payment::withdrawal,
        Payment::deposit,
        Payment::defi_deposit,
    ] {
        for step in [Fr::ONE, -Fr::ONE] {
            let note = start().settled(|w| w.outputs[1].value += step);
            refused(note, Balance);
            refused(start().settled(|w| w.fee += step), Balance);
        }
    }
}
