//! Checks real requests and a small world in both suites, and breaks each rule alone.

mod padding;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use zkwhirl_job::request::TxRollupRequest;

use super::{TxRollupWitness, check, published_fields};
use crate::Scope::{self, Tx, Whole};
use crate::field::{power_of_two, to_word};
use crate::published::{NO_ASSET, Published, PublishedError, place};
use crate::tests::support::broken::PLANS;
use crate::tests::support::rows::{self, Breaker};
use crate::tests::support::world::{BRIDGE, TxPlan, old_note, tx};
use crate::tests::support::{flipped, random, vectors};
use crate::tree::{fold, subtree_root};
use crate::{Circuit, Rule, StatementError, Suite};

/// Checks every rule of a request of the pedersen suite.
fn checked(request: &TxRollupRequest, txs: u32) -> Result<Published, StatementError> {
    check(Suite::Pedersen, txs, &TxRollupWitness::new(request, txs)?)
}

/// Asserts that a plan follows the rules, natively and in the circuit.
#[track_caller]
fn accepted(plan: &TxPlan) -> Published {
    let (w, statement) = (plan.witness(), plan.published(&plan.witness()));
    rows::accepted(plan.circuit(), w.clone(), statement.public_input());
    let fields = published_fields(plan.suite, plan.capacity, &w);
    assert_eq!(fields, statement.fields());
    statement
}

/// Asserts that a plan breaks only this rule.
#[track_caller]
fn refused(plan: &TxPlan, broken: (Scope, Rule)) {
    rows::refused(plan.circuit(), plan.witness(), broken);
}

#[test]
fn real_requests() {
    for (name, txs) in vectors::TX_ROLLUPS {
        let request = vectors::tx_rollup(&format!("{name}_request.bin"));
        let statement = checked(&request, txs).unwrap();
        let count = 108 + 8 * txs.next_power_of_two() as usize;
        let reply = vectors::reply(&format!("{name}_reply.bin"), count);
        assert_eq!(statement.fields(), reply, "{name}");
        let circuit: Circuit = format!("tx-rollup/pedersen/{txs}").parse().unwrap();
        let (words, clients) = (statement.to_words(), statement.clients());
        let read = Published::from_words(circuit.statement, &words, clients);
        assert_eq!(read, Ok(statement.clone()));
        let w = TxRollupWitness::new(&request, txs).unwrap();
        rows::accepted(circuit, w, statement.public_input());
    }
}

#[test]
fn the_large_request_natively() {
    let request = vectors::tx_rollup("valid_28x2_0_tx_rollup_request.bin");
    let statement = checked(&request, 28).unwrap();
    let fields = statement.fields();
    assert_eq!(fields.len(), 108 + 8 * 32);
    assert_eq!(fields[place::SLOTS], Fr::from(32u64));
}

/// The circuit has 43 million rows: the test takes a minute and 2 GB.
#[test]
#[ignore = "minutes of work: run it when the circuit changes"]
fn the_large_request_in_rows() {
    let request = vectors::tx_rollup("valid_28x2_0_tx_rollup_request.bin");
    let w = TxRollupWitness::new(&request, 28).unwrap();
    let circuit: Circuit = "tx-rollup/pedersen/28".parse().unwrap();
    circuit.check_raw(&w.into()).unwrap();
}

#[test]
fn every_rule_in_one_rollup() {
    for suite in Suite::ALL {
        let published = accepted(&TxPlan::new(suite, 2));
        let fields = published.fields();
        let at = |place: usize| fields[place];
        assert_eq!(at(place::ROLLUP_ID), Fr::from(5u64));
        assert_eq!(at(place::DEPOSIT_SUMS + 1), Fr::from(1000u64));
        // Fees 13 and 23 of asset 1; the claim of the deposit takes 7 of 13.
        assert_eq!(at(place::FEES + 1), Fr::from(6u64 + 23));
        assert_eq!(at(place::FEES), Fr::ZERO);
        assert_eq!(at(place::BRIDGES + 1), Fr::from(BRIDGE));
        assert_eq!(at(place::ASSETS + 2), Fr::from(NO_ASSET));
        let note = suite.claim_note(random(11), Fr::from(5u64 * 32 + 1), Fr::from(7u64));
        assert_eq!(at(place::TXS + 1), note);
        assert_eq!(at(place::TXS + 2), random(12));
    }
}

#[test]
fn padding_and_unused_slots() {
    let mut plan = TxPlan::new(Suite::Poseidon, 3);
    plan.txs.truncate(1);
    let published = accepted(&plan);
    // The rollup has one tx, two slots of padding, and one slot beyond its capacity.
    let (fields, zero) = (published.fields(), Fr::ZERO);
    assert_eq!(fields.len(), 108 + 8 * 4);
    assert!(fields[place::TXS + 8..].iter().all(|field| *field == zero));
    let mut plan = TxPlan::new(Suite::Pedersen, 2);
    plan.txs.truncate(1);
    accepted(&plan);
}

#[test]
fn chains_through_the_last_tx_that_matches() {
    // Txs 1 and 2 both create the note that tx 3 links to; only tx 2 allows chaining.
    let mut plan = TxPlan::new(Suite::Poseidon, 4);
    let mut again = tx(3, 30);
    again[1] = plan.txs[1][2];
    again[15] = Fr::ONE;
    plan.push(again, 0);
    let mut last = tx(3, 40);
    last[14] = again[1];
    plan.push(last, 0);
    accepted(&plan);
    plan.txs[2][15] = Fr::from(2u64);
    refused(&plan, (Tx(3), Rule::ChainNotAllowed));
}

#[test]
fn what_fees_may_do() {
    let listed = [Fr::ZERO, Fr::ONE];
    // An unlisted asset, the filler value, and an account tx with a repeated asset.
    for (proof_id, asset, assets, paid) in [
        (1u64, 9u64, listed, 0u64),
        (1, NO_ASSET, listed, 0),
        (4, 1, [Fr::ONE; 2], 13),
    ] {
        let mut plan = TxPlan::new(Suite::Poseidon, 1);
        plan.txs = vec![tx(proof_id, 10)];
        plan.txs[0][10] = Fr::from(asset);
        plan.assets = assets.to_vec();
        assert_eq!(accepted(&plan).fields()[place::FEES], Fr::from(paid));
    }
}

#[test]
fn zero_nullifiers_change_nothing() {
    let mut plan = TxPlan::new(Suite::Poseidon, 1);
    (plan.txs[0][3], plan.txs[0][4]) = (Fr::ZERO, Fr::ZERO);
    let fields = accepted(&plan).fields().to_vec();
    assert_eq!(fields[place::OLD_NULL_ROOT], fields[place::NEW_NULL_ROOT]);
}

#[test]
fn every_rule_broken_alone_is_unsatisfiable() {
    for (scope, rule, break_it) in PLANS {
        let mut plan = TxPlan::new(Suite::Poseidon, 2);
        break_it(&mut plan);
        refused(&plan, (scope, rule));
    }
    let alone: [Breaker<TxPlan>; 5] = [
        (Whole, Rule::TxCount, |p| p.txs.clear()),
        (Tx(0), Rule::OldNullRoot(1), |p| p.txs[0][3] = random(901)),
        (Tx(0), Rule::LinkedCommitment, |p| {
            p.txs[0][14] = old_note(5)
        }),
        (Tx(0), Rule::DataRoot, |p| p.txs[0][8] = random(998)),
        (Tx(0), Rule::DepositBridge, |p| {
            p.txs[0][11] = Fr::from(9u64)
        }),
    ];
    for (scope, rule, break_it) in alone {
        let suite = match rule {
            Rule::TxCount => Suite::Poseidon,
            _ => Suite::Pedersen,
        };
        let mut plan = TxPlan::new(suite, 1);
        break_it(&mut plan);
        refused(&plan, (scope, rule));
    }
}

#[test]
fn wrong_roots_and_paths_are_unsatisfiable() {
    let plan = TxPlan::new(Suite::Poseidon, 2);
    let breakers: [Breaker<TxRollupWitness>; 6] = [
        (Whole, Rule::NewDataRoot, |w| w.new_data_root += Fr::ONE),
        (Whole, Rule::OldDataRoot, |w| {
            // A sibling is changed, and the new root is recomputed from it.
            let fields = published_fields(Suite::Poseidon, 2, w);
            let slots = fields[place::TXS..].chunks(8);
            let notes: Vec<Fr> = slots.flat_map(|f| [f[1], f[2]]).collect();
            let notes = subtree_root(Suite::Poseidon, &notes);
            let place = w.data_start_index.into();
            let root = |siblings: &[Fr]| fold(Suite::Poseidon, notes, siblings, place, 2);
            assert_eq!(root(&w.data_siblings), w.new_data_root);
            w.data_siblings[30] += Fr::ONE;
            w.new_data_root = root(&w.data_siblings);
        }),
        (Tx(0), Rule::LinkedCommitment, |w| {
            w.txs[0].link_siblings[31] += Fr::ONE
        }),
        (Tx(0), Rule::DataRoot, |w| {
            w.txs[0].root_siblings[0] += Fr::ONE
        }),
        (Tx(1), Rule::NewNullRoot(2), |w| {
            w.txs[1].nullifiers[1].new_root += Fr::ONE
        }),
        (Tx(0), Rule::OldNullRoot(1), |w| w.old_null_root += Fr::ONE),
    ];
    for (scope, rule, break_it) in breakers {
        let mut w = plan.witness();
        break_it(&mut w);
        rows::refused(plan.circuit(), w, (scope, rule));
    }
}

/// The restriction of the poseidon suite, see `Suite::nullifier_floor`.
#[test]
fn neighbours_of_nullifiers() {
    for (suite, bit, holds) in [
        (Suite::Poseidon, 63, false),
        (Suite::Poseidon, 64, true),
        (Suite::Pedersen, 0, true),
    ] {
        let mut plan = TxPlan::new(suite, 1);
        plan.txs[0][3] = random(11);
        plan.spent.push(flipped(random(11), bit));
        if holds {
            accepted(&plan);
        } else {
            refused(&plan, (Tx(0), Rule::NullifierNeighbour(1)));
        }
    }
}

#[test]
fn what_the_verifier_of_published_words_checks() {
    let plan = TxPlan::new(Suite::Poseidon, 2);
    let published = plan.published(&plan.witness());
    let (kind, words) = (plan.circuit().statement, published.to_words());
    let clients = published.clients();
    let read = |words: &[_], clients: &[_]| Published::from_words(kind, words, clients);
    assert_eq!(read(&words, clients), Ok(published.clone()));
    let change = |at: usize, word: [u8; 32]| {
        let mut words = words.clone();
        words[at] = word;
        read(&words, clients)
    };
    let wide = to_word(&power_of_two(250));
    for (at, word, error) in [
        (place::TXS + 5, [1; 32], PublishedError::InputsHash),
        (place::INPUTS_HASH, [1; 32], PublishedError::InputsHash),
        (4, [0xff; 32], PublishedError::NotCanonical(4)),
        (place::BRIDGES, wide, PublishedError::Range(place::BRIDGES)),
    ] {
        assert_eq!(change(at, word), Err(error));
    }
    let error = read(&words[1..], clients).unwrap_err();
    assert_eq!(error.to_string(), "123 published fields, expected 124");
    let error = read(&words, &clients[1..]).unwrap_err();
    assert_eq!(error.to_string(), "1 client digests, expected 2");
    // The public input binds every other field.
    for at in (0..words.len()).filter(|at| *at < place::TXS && *at != place::INPUTS_HASH) {
        if let Ok(other) = change(at, [1; 32]) {
            assert_ne!(other.public_input(), published.public_input(), "field {at}");
        }
    }
}

#[test]
fn requests_that_break_a_rule_are_refused_with_tx_and_rule() {
    let good = vectors::tx_rollup("valid_2x2_0_tx_rollup_request.bin");
    let refused = |txs, change: fn(&mut TxRollupRequest)| {
        let mut request = good.clone();
        change(&mut request);
        checked(&request, txs).unwrap_err()
    };
    let error = refused(2, |request| request.data_roots_indices[1] = 7);
    assert_eq!(
        error.to_string(),
        "tx 1: data root is not a leaf of data_roots_root"
    );
    assert_eq!(refused(1, |_| ()), Rule::TxCount.into());
    let missing = refused(3, |_| ()).to_string();
    assert_eq!(missing, "nullifier paths has length 4, expected 5");
    let error = refused(2, |request| request.data_start_index = 1);
    assert_eq!(error, Rule::Alignment.into());
    let error = refused(2, |request| {
        request.txs[0].public_inputs[9].0 = [0xff; 32];
    });
    assert_eq!(error, StatementError::NotCanonical("public input of a tx"));
}

#[test]
fn a_witness_of_another_statement_is_refused() {
    let circuit = TxPlan::new(Suite::Pedersen, 1).circuit();
    let claim = crate::claim::ClaimWitness::default().into();
    assert_eq!(
        circuit.assign_raw(&claim).unwrap_err().to_string(),
        "the witness does not belong to a tx-rollup statement"
    );
}
