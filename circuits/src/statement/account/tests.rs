//! Registering keys, and every rule broken alone.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};

use super::{AccountWitness, check, published};
use crate::field::power_of_two;
use crate::schnorr::Signature;
use crate::suite::HashIndex;
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

/// Demands that the rule alone is broken, natively and in its part of the circuit.
#[track_caller]
fn refused(registration: &Registration, rule: Rule, part: &str) {
    rows::refused(CIRCUIT, registration.w.clone(), rule, part);
}

fn changed(start: fn() -> Registration, change: impl Fn(&mut AccountWitness)) -> Registration {
    let mut registration = start();
    change(&mut registration.w);
    registration
}

/// Changed, then settled and signed like any other.
fn settled(start: fn() -> Registration, change: impl Fn(&mut AccountWitness)) -> Registration {
    let mut registration = changed(start, change);
    registration.settle();
    registration
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
fn matrices_do_not_depend_on_the_witness() {
    for registration in [Registration::create(), Registration::another_key()] {
        rows::same_matrices(CIRCUIT, registration.w);
    }
}

#[test]
fn values_out_of_range() {
    let long = settled(Registration::another_key, |w| {
        w.signer.alias_hash = power_of_two(224);
    });
    refused(&long, Rule::Range("alias hash"), "alias");
    let place = changed(Registration::another_key, |w| {
        w.signer.index += power_of_two(32);
    });
    refused(
        &place,
        Rule::Range("account note index"),
        "account note membership",
    );
    let order = Fr::from_bigint(ark_ed_on_bn254::Fr::MODULUS).unwrap();
    let wide = (1u64..).find_map(|alias| {
        let mut registration = settled(Registration::another_key, |w| {
            w.signer.alias_hash = Fr::from(alias);
        });
        let s = &mut registration.w.signer.signature.s;
        *s += order;
        (s.into_bigint().num_bits() > 251).then_some(registration)
    });
    refused(&wide.unwrap(), Rule::Range("signature"), "signature");
}

#[test]
fn a_new_account_is_signed_by_its_own_key() {
    let mut registration = Registration::create();
    registration.w.signer.key = key(9).public().coordinates();
    registration.w.sign(&key(9));
    refused(&registration, Rule::FirstSigner, "signing key");
}

#[test]
fn another_key_needs_an_account_note() {
    let part = "account note membership";
    let nowhere = changed(Registration::another_key, |w| {
        w.signer.siblings[3] += Fr::ONE;
    });
    refused(&nowhere, Rule::AccountNote, part);
    // Once the account exists, the account key cannot add keys.
    let mut account_key = Registration::another_key();
    account_key.w.signer.key = key(1).public().coordinates();
    account_key.w.sign(&key(1));
    refused(&account_key, Rule::AccountNote, part);
    let mut other_account = Registration::another_key();
    other_account.w.account_key_x = key(2).public().x();
    other_account.w.sign(&key(9));
    refused(&other_account, Rule::AccountNote, part);
}

#[test]
fn a_signing_key_off_the_curve() {
    let mut registration = Registration::another_key();
    registration.w.signer.key = (Fr::ZERO, Fr::ZERO);
    registration.settle();
    let mut inputs = [Fr::ZERO; 5];
    inputs[4] = published(&registration.w).public_input();
    let e = Suite::Poseidon.hash(HashIndex::SignatureChallenge, &inputs);
    registration.w.signer.signature = Signature { s: Fr::ONE, e };
    refused(&registration, Rule::SigningKeyCurve, "signing key");
}

#[test]
fn signatures_bind_every_field() {
    for start in [Registration::create, Registration::another_key] {
        let forged = changed(start, |w| w.signer.signature.s += Fr::ONE);
        refused(&forged, Rule::Signature, "signature");
        let forged = changed(start, |w| w.signer.signature.e += Fr::ONE);
        refused(&forged, Rule::Signature, "signature");
        let added = changed(start, |w| w.new_keys[1] = random(3));
        refused(&added, Rule::Signature, "signature");
    }
    let renamed = changed(Registration::create, |w| w.signer.alias_hash -= Fr::ONE);
    refused(&renamed, Rule::Signature, "signature");
}
