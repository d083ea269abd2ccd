//! Rules about values, kinds and notes, each broken alone.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};

use super::{CIRCUIT, JoinSplitWitness, changed, refused, settled};
use crate::Rule;
use crate::bridge::BridgeCallData;
use crate::field::power_of_two;
use crate::statement::join_split::rules::violations;
use crate::test_util::{Payment, key, random};
use crate::tests::support::rows::failing_parts;

/// A defi deposit with other bridge call data.
fn bridged(change: impl Fn(&mut BridgeCallData)) -> Payment {
    let mut payment = Payment::defi_deposit();
    payment.bridge(change);
    payment.settle();
    payment
}

#[test]
fn amounts_of_notes_out_of_range() {
    let (wide, half) = (power_of_two(252), power_of_two(251));
    let deposit = settled(Payment::deposit, |w| {
        w.public_value = wide;
        (w.outputs[0].value, w.outputs[1].value) = (half, half - w.fee);
    });
    refused(&deposit, Rule::Range("public value"));
    for (which, [input, output]) in [
        (0, ["input value 1", "output value 1"]),
        (1, ["input value 2", "output value 2"]),
    ] {
        let wide_input = settled(Payment::send, |w| {
            w.inputs[which].value = wide;
            w.inputs[1 - which].value = Fr::ZERO;
            (w.outputs[0].value, w.outputs[1].value) = (half, half - w.fee);
        });
        refused(&wide_input, Rule::Range(input));
        // A negative amount on one side would make money on the other.
        let negative = settled(Payment::send, |w| {
            w.outputs[which].value = -Fr::from(5u64);
            w.outputs[1 - which].value = Fr::from(1095u64);
        });
        refused(&negative, Rule::Range(output));
    }
}

#[test]
fn fees_and_deposits_out_of_range() {
    let fee: fn(&mut JoinSplitWitness) -> &mut Fr = |w| &mut w.fee;
    let deposit: fn(&mut JoinSplitWitness) -> &mut Fr = |w| &mut w.deposit;
    for (start, value, name) in [
        (Payment::send as fn() -> Payment, fee, "fee"),
        (Payment::defi_deposit, deposit, "deposit"),
    ] {
        let large = settled(start, |w| {
            let more = power_of_two(242) - *value(w);
            *value(w) += more;
            w.inputs[0].value += more;
        });
        refused(&large, Rule::Range(name));
        let negative = settled(start, |w| {
            let less = *value(w) + Fr::from(9u64);
            *value(w) -= less;
            w.outputs[1].value += less;
        });
        refused(&negative, Rule::Range(name));
    }
}

#[test]
fn other_values_out_of_range() {
    let far = power_of_two(32);
    let owner = settled(Payment::withdrawal, |w| w.public_owner = power_of_two(160));
    refused(&owner, Rule::Range("public owner"));
    let asset = settled(Payment::send, |w| w.asset = power_of_two(30));
    refused(&asset, Rule::Range("asset"));
    let first = changed(Payment::send, |w| w.inputs[0].index += far);
    refused(&first, Rule::Range("input note index 1"));
    let second = changed(Payment::send, |w| w.inputs[1].index += far);
    refused(&second, Rule::Range("input note index 2"));
    let account = changed(Payment::registered, |w| w.signer.index += far);
    refused(&account, Rule::Range("account note index"));
}

#[test]
fn kinds() {
    for id in [0u64, 4, 6, 7] {
        let other = settled(Payment::send, |w| w.proof_id = Fr::from(id));
        refused(&other, Rule::PaymentKind);
    }
    let valued = settled(Payment::defi_deposit, |w| {
        w.outputs[0].value = Fr::ONE;
        w.outputs[1].value -= Fr::ONE;
    });
    refused(&valued, Rule::ClaimValue);
    let chained = settled(Payment::defi_deposit, |w| {
        w.outputs[0].partial.owner = w.owner();
        w.allow_chain[0] = true;
    });
    refused(&chained, Rule::ChainClaim);
}

#[test]
fn public_values_and_deposits_of_their_kinds_only() {
    let rule = Rule::PublicOnly("public value");
    refused(&settled(Payment::send, |w| w.public_value = Fr::ONE), rule);
    let nothing = settled(Payment::withdrawal, |w| {
        w.outputs[0].value = w.public_value;
        w.public_value = Fr::ZERO;
    });
    refused(&nothing, rule);
    let rule = Rule::PublicOnly("public owner");
    refused(&settled(Payment::send, |w| w.public_owner = Fr::ONE), rule);
    let nobody = settled(Payment::deposit, |w| w.public_owner = Fr::ZERO);
    refused(&nobody, rule);
    for start in [Payment::deposit, Payment::withdrawal] {
        let unreal = settled(start, |w| w.asset = power_of_two(29));
        refused(&unreal, Rule::PublicVirtual);
    }
    let rule = Rule::DepositOnly("deposit value");
    let send = settled(Payment::send, |w| {
        w.deposit = Fr::from(100u64);
        w.outputs[1].value -= w.deposit;
    });
    refused(&send, rule);
    let nothing = settled(Payment::defi_deposit, |w| {
        w.outputs[1].value += w.deposit;
        w.deposit = Fr::ZERO;
    });
    refused(&nothing, rule);
}

#[test]
fn bridge_call_data() {
    let mut send = Payment::send();
    send.bridge(|_| {});
    send.settle();
    refused(&send, Rule::DepositOnly("bridge call data"));
    let unknown = settled(Payment::defi_deposit, |w| w.bridge += power_of_two(154));
    refused(&unknown, Rule::BridgeBits);
    let cases = [
        (Rule::SecondInputUnused, bridged(|data| data.input_b = 9)),
        (Rule::SecondOutputUnused, bridged(|data| data.output_b = 9)),
        (
            Rule::TwoInputs,
            bridged(|data| (data.second_input, data.input_b) = (true, 9)),
        ),
        (
            Rule::EqualOutputs,
            bridged(|data| (data.second_output, data.output_b) = (true, data.output_a)),
        ),
        (
            Rule::VirtualOutput,
            bridged(|data| data.output_a = (1 << 29) + 1),
        ),
        (Rule::BridgeAsset, bridged(|data| data.input_a = 4)),
    ];
    for (rule, payment) in cases {
        refused(&payment, rule);
    }
}

#[test]
fn input_notes() {
    let nothing = settled(Payment::deposit, |w| {
        w.proof_id = Fr::from(3u64);
        (w.public_value, w.public_owner, w.fee) = (Fr::ZERO, Fr::ZERO, Fr::ZERO);
        w.outputs.iter_mut().for_each(|note| note.value = Fr::ZERO);
    });
    refused(&nothing, Rule::NoInput);
    let second_only = settled(Payment::deposit, |w| w.inputs[1].in_use = true);
    refused(&second_only, Rule::InputOrder);
    for (which, number) in [(0, 1), (1, 2)] {
        // Money from nothing: a note that does not exist but has a value.
        let invented = settled(Payment::deposit, |w| {
            w.inputs[which].value = Fr::from(50u64);
            w.outputs[0].value += Fr::from(50u64);
        });
        refused(&invented, Rule::UnusedValue(number));
        let nowhere = changed(Payment::send, |w| w.inputs[which].siblings[7] += Fr::ONE);
        refused(&nowhere, Rule::InputNote(number));
    }
}

/// Another private key makes other commitments, which are in no tree.
#[test]
fn notes_of_another_owner() {
    let mut payment = Payment::send();
    payment.w.private_key = key(2).element();
    payment.w.signer.key = key(2).public().coordinates();
    payment.w.allow_chain = [false; 2];
    let outputs = &mut payment.w.outputs;
    outputs
        .iter_mut()
        .for_each(|note| note.partial.creator = Fr::ZERO);
    payment.w.sign(&key(2));
    let missing = [1, 2].map(|number| Rule::InputNote(number).into());
    assert_eq!(violations(&payment.w), missing);
    let parts = failing_parts(CIRCUIT, &payment.w.into());
    assert_eq!(parts, ["input note membership"; 2]);
}

#[test]
fn output_notes() {
    for (which, number) in [(0, 1), (1, 2)] {
        let forged = settled(Payment::send, |w| {
            w.outputs[which].partial.creator = key(5).public().x();
        });
        refused(&forged, Rule::Creator(number));
        for (x, y) in [(Fr::ONE, Fr::ZERO), (Fr::ZERO, Fr::ONE)] {
            let foreign = settled(Payment::send, |w| {
                let owner = w.owner();
                w.outputs[which].partial.owner = (owner.0 + x, owner.1 + y);
                w.allow_chain = [which == 0, which == 1];
            });
            refused(&foreign, Rule::ChainOwner(number));
        }
    }
}

#[test]
fn what_goes_in_goes_out() {
    for step in [Fr::ONE, -Fr::ONE] {
        for start in [
            Payment::send,
            Payment::withdrawal,
            Payment::deposit,
            Payment::defi_deposit,
        ] {
            let note = settled(start, |w| w.outputs[1].value += step);
            refused(&note, Rule::Balance);
            refused(&settled(start, |w| w.fee += step), Rule::Balance);
        }
    }
}

#[test]
fn links_that_name_no_input_note() {
    let anything = settled(Payment::send, |w| w.backward_link = random(7));
    refused(&anything, Rule::BackwardLink);
    // The link must name a note that is used.
    let unused = settled(Payment::deposit, |w| {
        w.backward_link = w.input_commitment(1);
    });
    refused(&unused, Rule::BackwardLink);
}
