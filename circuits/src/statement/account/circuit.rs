//! The rules of an account tx as rows (constraints).

use ark_bn254::Fr;
use zkwhirl_job::Topic;

use super::rules::{published, violations};
use super::{ALIAS_BITS, AccountTx, AccountWitness};
use crate::error::StatementError;
use crate::gadgets::bits::{decompose, is_zero};
use crate::gadgets::edwards::EdwardsPoint;
use crate::gadgets::hash::tagged;
use crate::gadgets::merkle::root_of;
use crate::gadgets::schnorr::enforce_signature;
use crate::proof_id;
use crate::published::{CLIENT_FIELDS, Published, publish};
use crate::r1cs::{Builder, Num};
use crate::rule::Violation;
use crate::statement::definition::{self, Statement};
use crate::suite::{HashIndex, Suite};

impl Statement for AccountTx {
    type Witness = AccountWitness;

    const NAME: &'static str = "account";
    const TAG: u64 = 4;
    const TOPIC: Topic = Topic::Outer;
    const FIELDS: usize = CLIENT_FIELDS;
    const SUITES: &'static [Suite] = &[Suite::Poseidon];

    fn violations(self, _: Suite, w: &AccountWitness) -> Vec<Violation> {
        violations(w)
    }

    fn enforce(self, b: &mut Builder, _: Suite, w: &AccountWitness) {
        let signer = &w.signer;
        let data_root = b.alloc(w.data_root);
        let account = b.alloc(w.account_key_x);
        let alias = b.part("alias", |b| {
            let alias = b.alloc(signer.alias_hash);
            decompose(b, &alias, ALIAS_BITS);
            alias
        });
        let (create, key) = b.part("signing key", |b| {
            let create = b.alloc_bit(w.create);
            let key = EdwardsPoint::alloc(b, signer.key.0, signer.key.1);
            b.zero_where(create.num(), &(&key.x - &account));
            (create, key)
        });
        b.part("account note membership", |b| {
            let note = tagged(b, HashIndex::AccountNote, &[&alias, &account, &key.x]);
            let root = root_of(b, Suite::Poseidon, &note, (signer.index, &signer.siblings));
            b.zero_where(create.not().num(), &(&root - &data_root));
        });
        let notes = b.part("account notes", |b| {
            w.new_keys.map(|new_key| {
                let new_key = b.alloc(new_key);
                let present = is_zero(b, &new_key).not();
                let note = tagged(b, HashIndex::AccountNote, &[&alias, &account, &new_key]);
                b.mul(present.num(), &note)
            })
        });
        let nullifiers = b.part("nullifiers", |b| {
            let of_alias = tagged(b, HashIndex::AliasNullifier, &[&alias]);
            let of_key = tagged(b, HashIndex::PublicKeyNullifier, &[&account]);
            [of_alias, of_key].map(|nullifier| b.mul(create.num(), &nullifier))
        });
        let mut published = vec![Num::zero(); CLIENT_FIELDS];
        published[0] = Num::constant(Fr::from(proof_id::ACCOUNT));
        let given = notes.into_iter().chain(nullifiers);
        published.splice(1..5, given);
        published[8] = data_root;
        let message = publish::<AccountTx>(b, published);
        b.part("signature", |b| {
            enforce_signature(b, &key, &message, &signer.signature);
        });
    }
}

/// Checks every rule of an account tx; returns its 16 published fields.
pub fn check(w: &AccountWitness) -> Result<Published, StatementError> {
    definition::demand_none(&AccountTx.violations(Suite::Poseidon, w))?;
    Ok(published(w))
}
