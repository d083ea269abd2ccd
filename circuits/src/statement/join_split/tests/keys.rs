//! Which keys may sign.

use ark_bn254::Fr;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ed_on_bn254::{EdwardsAffine, Fr as Scalar};
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};

use super::{JoinSplitWitness, accepted, published, refused};
use crate::field::to_word;
use crate::schnorr::{PrivateKey, Signature};
use crate::suite::HashIndex;
use crate::test_util::{Payment, key, random};
use crate::{Rule, Suite};

/// The order of the subgroup, as an element.
fn order() -> Fr {
    Fr::from_bigint(Scalar::MODULUS).unwrap()
}

/// A private key plus the order would give the same owner, and a second
/// nullifier for each of the owner's notes.
#[test]
fn a_private_key_is_below_the_order() {
    let small = PrivateKey::reduce(&to_word(&Fr::from(5u64)));
    let with = |private_key: Fr| {
        let payment = Payment::send().signed_by(small);
        payment.settled(|w| w.owned_by(private_key))
    };
    let (good, second) = (with(Fr::from(5u64)), with(Fr::from(5u64) + order()));
    accepted(&good);
    assert_eq!(good.w.input_commitment(0), second.w.input_commitment(0));
    assert_ne!(good.w.nullifiers(), second.w.nullifiers());
    refused(second, Rule::PrivateKey);
}

#[test]
fn signing_keys() {
    // Without an account note, only the account key may sign.
    let other = Payment::send().signed_by(key(9)).settled(|_| ());
    refused(other, Rule::SigningKey);
    // The account note is in no tree, has another alias, or has another key.
    type Change = fn(&mut JoinSplitWitness);
    let changes: [Change; 3] = [
        |w| w.signer.siblings[3] += Fr::ONE,
        |w| w.signer.alias_hash += Fr::ONE,
        |w| {
            w.signer.key = key(7).public().coordinates();
            w.sign(&key(7));
        },
    ];
    for change in changes {
        refused(Payment::registered().changed(change), Rule::AccountNote);
    }
}

/// (0, 0) is not on the curve, and by the formulas of addition (0, 0) plus any
/// point is (0, 0): a signature under (0, 0) would need no key.
#[test]
fn a_signing_key_off_the_curve() {
    let mut payment = Payment::registered();
    payment = payment.settled(|w| w.signer.key = (Fr::ZERO, Fr::ZERO));
    let message = published(&payment.w).public_input();
    payment.w.signer.signature = Signature::of_no_key(message);
    refused(payment, Rule::SigningKeyCurve);
}

/// A key with the same x-coordinate as a registered key differs from its
/// negative by the point of order two, and so needs the same private key.
#[test]
fn the_other_point_of_a_registered_key() {
    let mut payment = Payment::registered();
    let (x, y) = payment.w.signer.key;
    payment.w.signer.key = (x, -y);
    let message = published(&payment.w).public_input();
    let private = Scalar::from_be_bytes_mod_order(&key(9).to_bytes());
    // For an even challenge, the multiple of the point of order two is the neutral element.
    let signature = (1u64..).find_map(|nonce| {
        let nonce = Scalar::from(nonce);
        let point = (EdwardsAffine::generator() * nonce).into_affine();
        let inputs = [point.x, point.y, x, -y, message];
        let e = Suite::Poseidon.hash(HashIndex::SignatureChallenge, &inputs);
        let s = nonce + Scalar::from_be_bytes_mod_order(&to_word(&e)) * private;
        let s = Fr::from_bigint(s.into_bigint()).unwrap();
        e.into_bigint().is_even().then_some(Signature { s, e })
    });
    payment.w.signer.signature = signature.unwrap();
    accepted(&payment);
    payment.w.signer.signature = key(9).sign(message);
    refused(payment, Rule::Signature);
}

/// The response of a signature has no second representation with more bits.
#[test]
fn a_signature_out_of_range() {
    let mut payment = Payment::send();
    // The loop signs again until the response is large enough to leave the range.
    for fee in 1u64.. {
        payment.w.fee = Fr::from(fee);
        payment.w.outputs[1].value = Fr::from(300 - fee);
        payment.settle();
        let s = &mut payment.w.signer.signature.s;
        *s += order();
        if s.into_bigint().num_bits() > 251 {
            break;
        }
    }
    refused(payment, Rule::Range("signature"));
}

/// The signature covers every published field: nobody between the owner and the
/// rollup can change a field.
#[test]
fn signatures_bind_every_field() {
    type Change = fn(&mut JoinSplitWitness);
    let changes: [Change; 5] = [
        |w| w.signer.signature.s += Fr::ONE,
        |w| w.signer.signature.e += Fr::ONE,
        |w| w.outputs[0].partial.owner = (random(1), random(2)),
        |w| (w.fee, w.outputs[1].value) = (w.fee + Fr::ONE, w.outputs[1].value - Fr::ONE),
        |w| w.allow_chain = [false; 2],
    ];
    for start in [Payment::withdrawal, Payment::registered] {
        for change in changes {
            refused(start().changed(change), Rule::Signature);
        }
    }
    let redirected = Payment::withdrawal().changed(|w| w.public_owner += Fr::ONE);
    refused(redirected, Rule::Signature);
}
