//! Real requests, a small world in both suites, and every rule broken alone.

mod padding;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use zkwhirl_job::request::TxRollupRequest;

use super::{TxRollupWitness, check, published_fields};
use crate::field::{power_of_two, to_word};
use crate::published::{NO_ASSET, Published, PublishedError, place};
use crate::tests::support::broken::PLANS;
use crate::tests::support::world::{BRIDGE, TxPlan, old_note, tx};
use crate::tests::support::{random, rows, vectors};
use crate::tree::{fold, subtree_root};
use crate::{Circuit, Rule, StatementError, StatementKind, Suite};

fn circuit(suite: Suite, txs: u32) -> Circuit {
    let statement = StatementKind::TxRollup { txs };
    Circuit { suite, statement }
}

/// Checks every rule of a request of the pedersen suite.
fn checked(request: &TxRollupRequest, txs: u32) -> Result<Published, StatementError> {
    check(Suite::Pedersen, txs, &TxRollupWitness::new(request, txs)?)
}

/// Demands that a plan follows the rules, natively and in rows.
#[track_caller]
fn accepted(plan: &TxPlan) -> Published {
    let (w, statement) = (plan.witness(), plan.published(&plan.witness()));
    rows::accepted(plan.circuit(), w.clone(), statement.public_input());
    let fields = published_fields(plan.suite, plan.capacity, &w);
    assert_eq!(fields, statement.fields());
    statement
}

const REQUESTS: [(&str, u32); 3] = [
    ("valid_1x1_0_tx_rollup", 1),
    ("valid_2x2_0_tx_rollup", 2),
    ("valid_2x2_1_tx_rollup", 2),
];

#[test]
fn real_requests() {
    for (name, txs) in REQUESTS {
        let request = vectors::tx_rollup(&format!("{name}_request.bin"));
        let statement = checked(&request, txs).unwrap();
        let count = 108 + 8 * txs.next_power_of_two() as usize;
        let reply = vectors::reply(&format!("{name}_reply.bin"), count);
        assert_eq!(statement.fields(), reply, "{name}");
        let circuit = circuit(Suite::Pedersen, txs);
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

/// 43 million rows: a minute and 2 GB.
#[test]
#[ignore = "minutes of work: run it when the circuit changes"]
fn the_large_request_in_rows() {
    let request = vectors::tx_rollup("valid_28x2_0_tx_rollup_request.bin");
    let w = TxRollupWitness::new(&request, 28).unwrap();
    circuit(Suite::Pedersen, 28).check_raw(&w.into()).unwrap();
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
    // One tx, two slots of padding, one slot that has no tx at all.
    assert_eq!(published.fields().len(), 108 + 8 * 4);
    assert!(
        published.fields()[place::TXS + 8..]
            .iter()
            .all(|field| *field == Fr::ZERO)
    );
    let mut plan = TxPlan::new(Suite::Pedersen, 2);
    plan.txs.truncate(1);
    accepted(&plan);
}

#[test]
fn chains_through_the_last_tx_that_matches() {
    // Tx 1 and 2 both make the note that tx 3 links to; only tx 2 allows it.
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
    refused(
        &plan,
        plan.witness(),
        (Some(3), Rule::ChainNotAllowed),
        "chaining",
    );
}

#[test]
fn what_fees_may_do() {
    // An unlisted asset, the filler itself, and an account with a repeated asset.
    for (proof_id, asset) in [(1u64, 9u64), (1, NO_ASSET), (4, 1)] {
        let mut plan = TxPlan::new(Suite::Poseidon, 1);
        let mut tx = tx(proof_id, 10);
        tx[10] = Fr::from(asset);
        plan.txs = vec![tx];
        if proof_id == 4 {
            plan.assets = vec![Fr::ONE, Fr::ONE];
        }
        let published = accepted(&plan);
        let paid = if proof_id == 4 {
            Fr::from(13u64)
        } else {
            Fr::ZERO
        };
        assert_eq!(published.fields()[place::FEES], paid);
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
fn matrices_do_not_depend_on_the_witness() {
    for (suite, txs) in [
        (Suite::Poseidon, 1),
        (Suite::Poseidon, 2),
        (Suite::Pedersen, 1),
    ] {
        let plan = TxPlan::new(suite, txs);
        rows::same_matrices(plan.circuit(), plan.witness());
    }
}

/// Demands that exactly one rule is broken, and that only rows of one part
/// of the circuit notice.
#[track_caller]
fn refused(plan: &TxPlan, w: TxRollupWitness, broken: (Option<usize>, Rule), part: &str) {
    let (circuit, violation) = (plan.circuit(), rows::by_tx(broken.0, broken.1));
    // A deposit without its one bridge has no nonce, so the note differs too;
    // a missing tx has neither proof id nor data root.
    if matches!(broken.1, Rule::DepositBridge | Rule::TxCount) {
        rows::noticed(circuit, &w.into(), violation, part);
    } else {
        rows::refused(circuit, w, violation, part);
    }
}

#[test]
fn every_rule_broken_alone_is_unsatisfiable() {
    for (tx, rule, part, break_it) in PLANS {
        let mut plan = TxPlan::new(Suite::Poseidon, 2);
        break_it(&mut plan);
        refused(&plan, plan.witness(), (tx, rule), part);
    }
}

#[test]
fn wrong_roots_and_paths_are_unsatisfiable() {
    let plan = TxPlan::new(Suite::Poseidon, 2);
    let good = plan.witness();
    let check = |tx, rule, part, break_it: &dyn Fn(&mut TxRollupWitness)| {
        let mut w = good.clone();
        break_it(&mut w);
        refused(&plan, w, (tx, rule), part);
    };
    check(None, Rule::NewDataRoot, "data tree", &|w| {
        w.new_data_root += Fr::ONE
    });
    check(None, Rule::OldDataRoot, "data tree", &|w| {
        // A sibling that is not there, with the new root that would follow.
        let before = w.data_siblings.clone();
        w.data_siblings[30] += Fr::ONE;
        let leaves: Vec<Fr> = plan.published(&plan.witness()).fields()[place::TXS..]
            .chunks(8)
            .flat_map(|f| [f[1], f[2]])
            .collect();
        let notes = subtree_root(plan.suite, &leaves);
        let root = |siblings: &[Fr]| fold(plan.suite, notes, siblings, plan.start.into(), 2);
        assert_eq!(root(&before), w.new_data_root);
        w.new_data_root = root(&w.data_siblings);
    });
    check(
        Some(0),
        Rule::LinkedCommitment,
        "linked commitment membership",
        &|w| {
            w.txs[0].link_siblings[31] += Fr::ONE;
        },
    );
    check(Some(0), Rule::DataRoot, "data root membership", &|w| {
        w.txs[0].root_siblings[0] += Fr::ONE;
    });
    check(Some(1), Rule::NewNullRoot(2), "nullifier tree", &|w| {
        w.txs[1].nullifiers[1].new_root += Fr::ONE;
    });
    check(Some(0), Rule::OldNullRoot(1), "nullifier tree", &|w| {
        w.old_null_root += Fr::ONE
    });
}

#[test]
fn a_rollup_has_at_least_one_tx() {
    let mut plan = TxPlan::new(Suite::Poseidon, 1);
    plan.txs.clear();
    refused(
        &plan,
        plan.witness(),
        (None, Rule::TxCount),
        "data root membership",
    );
}

/// The poseidon suite's one restriction, see `Suite::nullifier_floor`.
#[test]
fn neighbours_of_nullifiers() {
    for (suite, bit, holds) in [
        (Suite::Poseidon, 63, false),
        (Suite::Poseidon, 64, true),
        (Suite::Pedersen, 0, true),
    ] {
        let mut plan = TxPlan::new(suite, 1);
        let mut neighbour = random(11);
        plan.txs[0][3] = neighbour;
        let set = ark_ff::BigInteger::get_bit(&ark_ff::PrimeField::into_bigint(neighbour), bit);
        let step = power_of_two(bit);
        neighbour += if set { -step } else { step };
        plan.spent.push(neighbour);
        if holds {
            accepted(&plan);
        } else {
            let broken = (Some(0), Rule::NullifierNeighbour(1));
            refused(&plan, plan.witness(), broken, "nullifier tree");
        }
    }
}

#[test]
fn the_pedersen_suite_refuses_too() {
    type Breaker = (Rule, fn(&mut TxPlan));
    let plans: [Breaker; 4] = [
        (Rule::OldNullRoot(1), |p| p.txs[0][3] = random(901)),
        (Rule::LinkedCommitment, |p| p.txs[0][14] = old_note(5)),
        (Rule::DataRoot, |p| p.txs[0][8] = random(998)),
        (Rule::DepositBridge, |p| p.txs[0][11] = Fr::from(9u64)),
    ];
    for (rule, break_it) in plans {
        let mut plan = TxPlan::new(Suite::Pedersen, 1);
        break_it(&mut plan);
        let part = match rule {
            Rule::OldNullRoot(_) => "nullifier tree",
            Rule::LinkedCommitment => "linked commitment membership",
            Rule::DataRoot => "data root membership",
            _ => "claim completion",
        };
        refused(&plan, plan.witness(), (Some(0), rule), part);
    }
}

#[test]
fn what_the_verifier_of_published_words_checks() {
    let plan = TxPlan::new(Suite::Poseidon, 2);
    let published = plan.published(&plan.witness());
    let (kind, words) = (plan.circuit().statement, published.to_words());
    let clients = published.clients();
    assert_eq!(
        Published::from_words(kind, &words, clients),
        Ok(published.clone())
    );
    let change = |at: usize, word: [u8; 32]| {
        let mut words = words.clone();
        words[at] = word;
        Published::from_words(kind, &words, clients)
    };
    assert_eq!(
        change(place::TXS + 5, [1; 32]),
        Err(PublishedError::InputsHash)
    );
    assert_eq!(
        change(place::INPUTS_HASH, [1; 32]),
        Err(PublishedError::InputsHash)
    );
    assert_eq!(change(4, [0xff; 32]), Err(PublishedError::NotCanonical(4)));
    let wide = to_word(&power_of_two(250));
    assert_eq!(
        change(place::BRIDGES, wide),
        Err(PublishedError::Range(place::BRIDGES))
    );
    assert_eq!(
        Published::from_words(kind, &words[1..], clients),
        Err(PublishedError::Count {
            got: 123,
            expected: 124
        })
    );
    assert_eq!(
        Published::from_words(kind, &words, &clients[1..]),
        Err(PublishedError::Clients {
            got: 1,
            expected: 2
        })
    );
    // Every other field is bound by the public input.
    for at in (0..words.len()).filter(|at| *at < place::TXS && *at != place::INPUTS_HASH) {
        if let Ok(other) = change(at, [1; 32]) {
            assert_ne!(other.public_input(), published.public_input(), "field {at}");
        }
    }
}

#[test]
fn requests_that_break_a_rule_are_refused_with_tx_and_rule() {
    let good = vectors::tx_rollup("valid_2x2_0_tx_rollup_request.bin");
    let refused = |request: &TxRollupRequest, txs| checked(request, txs).unwrap_err();
    let mut request = good.clone();
    request.data_roots_indices[1] = 7;
    let error = refused(&request, 2);
    assert_eq!(
        error.to_string(),
        "tx 1: data root is not a leaf of data_roots_root"
    );
    assert_eq!(refused(&good, 1), Rule::TxCount.into());
    let missing = StatementError::Length {
        what: "nullifier paths",
        got: 4,
        expected: 5,
    };
    assert_eq!(refused(&good, 3), missing);
    let mut request = good.clone();
    request.data_start_index = 1;
    assert_eq!(refused(&request, 2), Rule::Alignment.into());
    let mut request = good;
    request.txs[0].public_inputs[9].0 = [0xff; 32];
    assert_eq!(
        refused(&request, 2),
        StatementError::NotCanonical("public input of a tx")
    );
}

#[test]
fn a_witness_of_another_statement_is_refused() {
    let claim = crate::claim::ClaimWitness::default().into();
    let error = circuit(Suite::Pedersen, 1).assign_raw(&claim).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the witness is not one of a tx-rollup statement"
    );
}
