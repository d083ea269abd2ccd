//! Accepted payments, and their published fields.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};

use super::{accepted, refused};
use crate::field::{power_of_two, to_word};
use crate::notes::ClaimNotePartial;
use crate::test_util::{ASSET, Payment, random};
use crate::{Rule, Suite};

#[test]
fn a_send_of_two_notes() {
    let payment = Payment::send();
    let w = &payment.w;
    let fields = accepted(&payment);
    let key = to_word(&w.private_key);
    let nullifier = |which| Suite::Poseidon.value_nullifier(w.input_commitment(which), &key, true);
    let zero = Fr::ZERO;
    let expected = [
        Fr::from(3u64),
        w.output_commitment(0),
        w.output_commitment(1),
        nullifier(0),
        nullifier(1),
        zero,
        zero,
        zero,
        w.data_root,
        Fr::from(10u64),
        Fr::from(ASSET),
        zero,
        zero,
        zero,
        zero,
        Fr::from(2u64),
    ];
    assert_eq!(fields, expected);
    assert!(fields[1..5].iter().all(|field| *field != zero));
}

#[test]
fn accounts_deposits_withdrawals_and_defi_deposits() {
    accepted(&Payment::registered());
    let fields = accepted(&Payment::deposit());
    assert_eq!(fields[0], Fr::ONE);
    assert_eq!(fields[5..8], [1100, 0x0add_7e55, ASSET].map(Fr::from));
    let fields = accepted(&Payment::withdrawal());
    assert_eq!(fields[5], Fr::from(800u64));

    let payment = Payment::defi_deposit();
    let fields = accepted(&payment);
    let claim = ClaimNotePartial {
        deposit: Fr::from(800u64),
        bridge: payment.w.bridge,
        value_note_partial: payment.w.outputs[0].partial.commit(Suite::Poseidon),
        input_nullifier: fields[3],
    };
    assert_eq!(fields[0], Fr::from(5u64));
    assert_eq!(fields[1], claim.commit(Suite::Poseidon));
    assert_eq!(fields[5..8], [Fr::ZERO; 3]);
    assert_eq!(fields[11..13], [payment.w.bridge, Fr::from(800u64)]);
}

#[test]
fn one_input_note_and_a_nullifier_for_the_other() {
    let payment = Payment::send().settled(|w| {
        w.unused([1]);
        w.outputs[0].value = Fr::from(690u64);
        w.outputs[1].value = Fr::ZERO;
    });
    let fields = accepted(&payment);
    // The nullifier of an unused input depends on its secret.
    let payment = payment.settled(|w| w.inputs[1].secret = random(99));
    let other = accepted(&payment);
    assert_eq!(fields[3], other[3]);
    assert_ne!(fields[4], other[4]);
    // The nullifier differs from that of the same note in use.
    let used = payment.settled(|w| w.inputs[1].in_use = true);
    assert_ne!(accepted(&used)[4], other[4]);
}

#[test]
fn virtual_assets_are_sent_and_put_into_bridges() {
    let asset = (1 << 29) + 77u32;
    accepted(&Payment::send().settled(|w| w.asset = Fr::from(asset)));
    accepted(&Payment::defi_deposit().settled(|w| {
        w.asset = Fr::from(asset);
        w.bridge(|data| data.input_a = asset);
    }));
}

#[test]
fn a_note_that_is_linked_back_to_need_not_be_in_the_tree() {
    for (which, other) in [(0, 2), (1, 1)] {
        let linked = Payment::send().settled(|w| w.backward_link = w.input_commitment(which));
        assert_ne!(linked.w.folded_root(which), linked.w.data_root);
        assert_eq!(accepted(&linked)[14], linked.w.input_commitment(which));
        // The note that is not linked must be in the tree.
        let nowhere = linked.changed(|w| w.inputs[1 - which].siblings[31] += Fr::ONE);
        refused(nowhere, Rule::InputNote(other));
    }
}

#[test]
fn outputs_of_ones_own_may_be_chained_from() {
    let chains = [false, true].map(|second| [[false, second], [true, second]]);
    for (published, chain) in (0u64..).zip(chains.concat()) {
        let payment = Payment::send().settled(|w| {
            w.outputs[0].partial.owner = w.owner();
            w.allow_chain = chain;
        });
        assert_eq!(accepted(&payment)[15], Fr::from(published));
    }
}

/// Sums of amounts do not wrap: if all amounts are in range, both sides of the
/// balance are below the modulus.
#[test]
fn the_largest_amounts_do_not_wrap() {
    let most = |bits| (power_of_two(bits) - Fr::ONE).into_bigint();
    let mut sum = most(252);
    for amount in [most(252), most(252), most(242), most(242)] {
        assert!(!sum.add_with_carry(&amount));
    }
    assert!(sum < Fr::MODULUS);
    let most = power_of_two(252) - Fr::ONE;
    accepted(&Payment::send().settled(|w| {
        w.inputs.iter_mut().for_each(|note| note.value = most);
        w.outputs[0].value = most;
        w.outputs[1].value = most - w.fee;
    }));
}
