//! A tx rollup binds the whole statement of each tx's client: its 16 public
//! inputs as the client published them.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};

use super::support::rows::publishes;
use super::support::world::TxPlan;
use super::support::{random, vectors};
use crate::claim::{self, ClaimWitness};
use crate::client::{client_digest, client_statement};
use crate::join_split::JoinSplit;
use crate::proof_id;
use crate::published::hash_chain;
use crate::statement::Statement;
use crate::{StatementKind, Suite};

const CAPACITY: u32 = 2;

#[test]
fn a_claims_digest_is_its_public_input() {
    let request = vectors::claim("pedersen/extra_flow_claim_request.bin");
    let w = ClaimWitness::new(&request).unwrap();
    let claim = claim::check(Suite::Pedersen, &w).unwrap();
    let fields: [Fr; 16] = claim.fields().try_into().unwrap();
    assert_eq!(client_digest(&fields), Some(claim.public_input()));
}

#[test]
fn the_proof_id_names_the_statement() {
    let join_split = Some(StatementKind::JoinSplit);
    let (account, claim) = (StatementKind::Account, StatementKind::Claim);
    let expected = [None, join_split, join_split, join_split, Some(account)];
    assert_eq!([0, 1, 2, 3, 4].map(client_statement), expected);
    let expected = [join_split, Some(claim), None];
    assert_eq!([5, 6, 7].map(client_statement), expected);
    let mut fields = [Fr::from(9u64); 16];
    fields[0] = Fr::from(proof_id::SEND);
    let digest = hash_chain(JoinSplit::TAG, &fields);
    assert_eq!(client_digest(&fields), Some(digest));
    fields[0] = -Fr::ONE;
    assert_eq!(client_digest(&fields), None);
}

#[test]
fn each_slot_has_the_digest_of_its_client() {
    let mut plan = TxPlan::new(Suite::Poseidon, 3);
    plan.txs.truncate(2);
    let w = plan.witness();
    let published = plan.published(&w);
    let [first, second, padding, unused] = published.clients() else {
        panic!("four slots");
    };
    assert_eq!(client_digest(&w.txs[0].fields).as_ref(), Some(first));
    assert_eq!(client_digest(&w.txs[1].fields).as_ref(), Some(second));
    assert_eq!([padding, unused], [&Fr::ZERO; 2]);
}

#[test]
fn every_public_input_of_a_client_is_bound() {
    for suite in Suite::ALL {
        let plan = TxPlan::new(suite, CAPACITY);
        let w = plan.witness();
        let bound = plan.published(&w).public_input();
        assert_eq!(publishes(plan.circuit(), w.clone()), bound);
        let mut seen = vec![bound];
        // Tx 0 is a deposit: the reply has only its completed commitment 1, and
        // no reply has the fields from 8 on.
        for (tx, field) in [(0, 1)].into_iter().chain((8..16).map(|field| (1, field))) {
            let mut w = w.clone();
            w.txs[tx].fields[field] += random(field as u64);
            let changed = plan.published(&w).public_input();
            assert!(!seen.contains(&changed), "{suite}: field {field}");
            if suite == Suite::Poseidon {
                let in_rows = publishes(plan.circuit(), w.clone());
                assert_eq!(in_rows, changed, "{suite}: field {field}");
            }
            seen.push(changed);
        }
    }
}
