//! The native rules of an account tx.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;

use super::{ALIAS_BITS, AccountTx, AccountWitness};
use crate::proof_id;
use crate::published::{CLIENT_FIELDS, Published};
use crate::rule::{Rule, Scope, Violation, Violations};
use crate::schnorr::{PrivateKey, SCALAR_BITS};
use crate::suite::Suite;
use crate::tree::DATA_DEPTH;

impl AccountWitness {
    /// Signs the statement with its current values.
    pub fn sign(&mut self, key: &PrivateKey) {
        self.signer.signature = key.sign(published(self).public_input());
    }
}

/// Returns every rule that a witness breaks, in the order of the checks.
pub(super) fn violations(w: &AccountWitness) -> Vec<Violation> {
    let signer = &w.signer;
    let mut broken = Violations::default();
    let ranges = [
        (&signer.alias_hash, ALIAS_BITS, "alias hash"),
        (&signer.index, DATA_DEPTH, "account note index"),
        (&signer.signature.s, SCALAR_BITS, "signature"),
    ];
    broken.demand_ranges(Scope::Whole, ranges);
    let own = !w.create || signer.key.0 == w.account_key_x;
    broken.demand(own, Rule::FirstSigner);
    let registered = w.create || signer.folded_root(w.account_key_x) == w.data_root;
    broken.demand(registered, Rule::AccountNote);
    signer.demand_signature(published(w).public_input(), &mut broken);
    broken.0
}

/// Returns the 16 published fields, which have a meaning only if the rules hold.
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
    Published::new(AccountTx, fields, Vec::new())
}
