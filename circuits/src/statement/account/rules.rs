//! The rules of an account tx, natively.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;

use super::{ALIAS_BITS, AccountWitness};
use crate::claim::DATA_DEPTH;
use crate::client::{CLIENT_FIELDS, proof_id};
use crate::error::Rule;
use crate::field::fits;
use crate::published::Published;
use crate::schnorr::{self, SCALAR_BITS};
use crate::statement::StatementKind;
use crate::suite::Suite;

/// Every rule that a witness breaks, in the order in which they are checked.
pub fn violations(w: &AccountWitness) -> Vec<Rule> {
    let signer = &w.signer;
    let mut broken = Vec::new();
    let mut demand = |holds: bool, rule: Rule| {
        if !holds {
            broken.push(rule);
        }
    };
    for (value, bits, name) in [
        (&signer.alias_hash, ALIAS_BITS, "alias hash"),
        (&signer.index, DATA_DEPTH, "account note index"),
        (&signer.signature.s, SCALAR_BITS, "signature"),
    ] {
        demand(fits(value, bits), Rule::Range(name));
    }
    let own = !w.create || signer.key.0 == w.account_key_x;
    demand(own, Rule::FirstSigner);
    let registered = w.create || signer.folded_root(w.account_key_x) == w.data_root;
    demand(registered, Rule::AccountNote);
    match schnorr::point(signer.key.0, signer.key.1) {
        None => demand(false, Rule::SigningKeyCurve),
        Some(key) => {
            let message = published(w).public_input();
            let signed = schnorr::verify(key, message, &signer.signature);
            demand(signed, Rule::Signature);
        }
    }
    broken
}

/// The 16 published fields; they mean something only if the rules hold.
pub fn published(w: &AccountWitness) -> Published {
    let (suite, alias, account) = (Suite::Poseidon, w.signer.alias_hash, w.account_key_x);
    let note = |key: Fr| {
        if key == Fr::ZERO {
            Fr::ZERO
        } else {
            suite.account_note(alias, account, key)
        }
    };
    let mut fields = vec![Fr::ZERO; CLIENT_FIELDS];
    fields[0] = Fr::from(proof_id::ACCOUNT);
    fields[1] = note(w.new_keys[0]);
    fields[2] = note(w.new_keys[1]);
    if w.create {
        fields[3] = suite.alias_nullifier(alias);
        fields[4] = suite.public_key_nullifier(account);
    }
    fields[8] = w.data_root;
    Published::new(StatementKind::Account, fields, Vec::new())
}
