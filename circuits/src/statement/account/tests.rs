//! Registers keys, and breaks each rule alone.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};

use super::{AccountWitness, check, published};
use crate::field::power_of_two;
use crate::schnorr::Signature;
use crate::test_util::{Registration, key, random};
use crate::tests::support::rows;
use crate::{Circuit, Rule, StatementKind, Suite};

const CIRCUIT: Circuit = Circuit {
    suite: Suite::Poseidon,
    statement: StatementKind::Account,
};

#[track_caller]
fn accepted(registration: &Registration) -> Vec<Fr> {
    let published = check(&registration.w).unwrap();
    rows::accepted(CIRCUIT, registration.w.clone(), published.public_input());
    published.fields().to_vec()
}

/// Asserts that only this rule is broken, natively and in its part of the circuit.
#[track_caller]
fn refused(registration: Registration, rule: Rule) {
    rows::refused(CIRCUIT, registration.w, rule);
}

#[test]
fn a_new_account_reserves_its_alias_and_its_key() {
    let registration = Registration::create();
    let suite = Suite::Poseidon;
    let (alias, account) = (registration.w.signer.alias_hash, key(1).public().x());
    let note = |seed| suite.account_note(alias, account, key(seed).public().x());
    let mut expected = vec![Fr::ZERO; 16];
    expected[0] = Fr::from(4u64);
    expected[1] = note(8);
    expected[2] = note(9);
    expected[3] = suite.alias_nullifier(alias);
    expected[4] = suite.public_key_nullifier(account);
    expected[8] = registration.w.data_root;
    assert_eq!(accepted(&registration), expected);
}

#[test]
fn another_key_is_signed_by_one_that_is_registered() {
    let registration = Registration::another_key();
    let fields = accepted(&registration);
    let (alias, account) = (registration.w.signer.alias_hash, key(1).public().x());
    let note = Suite::Poseidon.account_note(alias, account, key(8).public().x());
    assert_eq!(fields[1..5], [note, Fr::ZERO, Fr::ZERO, Fr::ZERO]);
}

#[test]
fn values_out_of_range() {
    let added = Registration::another_key;
    let long = added().settled(|w| w.signer.alias_hash = power_of_two(224));
    refused(long, Rule::Range("alias hash"));
    let place = added().changed(|w| w.signer.index += power_of_two(32));
    refused(place, Rule::Range("account note index"));
    let order = Fr::from_bigint(ark_ed_on_bn254::Fr::MODULUS).unwrap();
    let wide = (1u64..).find_map(|alias| {
        let mut wide = added().settled(|w| w.signer.alias_hash = Fr::from(alias));
        let s = &mut wide.w.signer.signature.s;
        *s += order;
        (s.into_bigint().num_bits() > 251).then_some(wide)
    });
    refused(wide.unwrap(), Rule::Range("signature"));
}

#[test]
fn who_may_sign() {
    // A new account's own key must sign.
    let sign = |seed| move |w: &mut AccountWitness| w.sign(&key(seed));
    let created = Registration::create().signed_by(key(9)).changed(sign(9));
    refused(created, Rule::FirstSigner);
    // Any other key needs an account note.
    let added = Registration::another_key;
    let nowhere = added().changed(|w| w.signer.siblings[3] += Fr::ONE);
    refused(nowhere, Rule::AccountNote);
    // Once the account exists, the account key cannot register keys.
    let account_key = added().signed_by(key(1)).changed(sign(1));
    refused(account_key, Rule::AccountNote);
    let other_account = added().changed(|w| w.account_key_x = key(2).public().x());
    refused(other_account.changed(sign(9)), Rule::AccountNote);
}

#[test]
fn a_signing_key_off_the_curve() {
    let mut registration = Registration::another_key();
    registration = registration.settled(|w| w.signer.key = (Fr::ZERO, Fr::ZERO));
    let message = published(&registration.w).public_input();
    registration.w.signer.signature = Signature::of_no_key(message);
    refused(registration, Rule::SigningKeyCurve);
}

#[test]
fn signatures_bind_every_field() {
    type Change = fn(&mut AccountWitness);
    let changes: [Change; 3] = [
        |w| w.signer.signature.s += Fr::ONE,
        |w| w.signer.signature.e += Fr::ONE,
        |w| w.new_keys[1] = random(3),
    ];
    for start in [Registration::create, Registration::another_key] {
        for change in changes {
            refused(start().changed(change), Rule::Signature);
        }
    }
    let renamed = Registration::create().changed(|w| w.signer.alias_hash -= Fr::ONE);
    refused(renamed, Rule::Signature);
}
