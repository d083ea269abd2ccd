//! A tx rollup binds the whole statement of each tx's client: its 16 public
//! inputs as the client published them.
#![expect(clippy::unwrap_used, reason = "a step that fails must fail the test")]

mod common;
#[path = "common/world.rs"]
mod world;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use world::{Plan, random};
use zkwhirl_circuits::client::{client_digest, client_statement, proof_id};
use zkwhirl_circuits::published::{hash_chain, tag};
use zkwhirl_circuits::tx_rollup::{TxRollupWitness, published};
use zkwhirl_circuits::{Circuit, StatementKind, Suite, Witness, statement};

const CAPACITY: u32 = 2;

/// The public input that the circuit computes, whether or not rules hold.
fn in_rows(suite: Suite, w: &TxRollupWitness) -> Fr {
    let circuit = Circuit {
        suite,
        statement: StatementKind::TxRollup { txs: CAPACITY },
    };
    let witness = Witness::TxRollup(Box::new(w.clone()));
    circuit.assign_raw(&witness).unwrap().instance[1]
}

#[test]
fn a_claims_digest_is_its_public_input() {
    for suite in Suite::ALL {
        let request = common::claim("pedersen/extra_flow_claim_request.bin");
        if let Ok(claim) = statement::claim(suite, &request) {
            let fields: [Fr; 16] = claim.published.fields().try_into().unwrap();
            assert_eq!(client_digest(&fields), Some(claim.public_input()));
        } else {
            assert_eq!(suite, Suite::Poseidon, "a real claim");
        }
    }
}

#[test]
fn the_proof_id_names_the_statement() {
    let statements = [0u64, 1, 2, 3, 4, 5, 6, 7].map(client_statement);
    let join_split = Some(StatementKind::JoinSplit);
    assert_eq!(statements[0], None);
    assert_eq!(statements[1..4], [join_split; 3]);
    assert_eq!(statements[4], Some(StatementKind::Account));
    assert_eq!(statements[5], join_split);
    assert_eq!(statements[6..], [Some(StatementKind::Claim), None]);
    let mut fields = [Fr::from(9u64); 16];
    fields[0] = Fr::from(proof_id::SEND);
    assert_eq!(
        client_digest(&fields),
        Some(hash_chain(tag::JOIN_SPLIT, &fields))
    );
    fields[0] = -Fr::ONE;
    assert_eq!(client_digest(&fields), None);
}

#[test]
fn each_slot_has_the_digest_of_its_client() {
    let mut plan = Plan::new(Suite::Poseidon, 3);
    plan.txs.truncate(2);
    let w = plan.witness();
    let published = published(plan.suite, 3, &w);
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
        let w = Plan::new(suite, CAPACITY).witness();
        let bound = published(suite, CAPACITY, &w).public_input();
        assert_eq!(in_rows(suite, &w), bound);
        let mut seen = vec![bound];
        // Tx 0 is a deposit: of its commitment 1 only the completed one stands
        // in the reply. The fields from 8 on stand in no reply at all.
        for (tx, field) in [(0, 1)].into_iter().chain((8..16).map(|field| (1, field))) {
            let mut w = w.clone();
            w.txs[tx].fields[field] += random(field as u64);
            let changed = published(suite, CAPACITY, &w).public_input();
            assert!(!seen.contains(&changed), "{suite}: field {field}");
            if suite == Suite::Poseidon {
                assert_eq!(in_rows(suite, &w), changed, "{suite}: field {field}");
            }
            seen.push(changed);
        }
    }
}
