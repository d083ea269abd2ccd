//! The tx rollup statement: real requests, a small world in both suites, and
//! every rule broken alone.
#![expect(clippy::unwrap_used, reason = "a step that fails must fail the test")]

#[path = "common/broken.rs"]
mod broken;
mod common;
#[path = "common/world.rs"]
mod world;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use broken::PLANS;
use world::{BRIDGE, Plan, old_note, random, tx};
use zkwhirl_circuits::field::power_of_two;
use zkwhirl_circuits::published::{NO_ASSET, Published, PublishedError, place};
use zkwhirl_circuits::tree::fold;
use zkwhirl_circuits::tx_rollup::{TxRollupWitness, evaluate, violations};
use zkwhirl_circuits::{Circuit, Rule, StatementError, StatementKind, Suite, Witness, statement};

fn circuit(suite: Suite, txs: u32) -> Circuit {
    Circuit {
        suite,
        statement: StatementKind::TxRollup { txs },
    }
}

fn raw(w: &TxRollupWitness) -> Witness {
    Witness::TxRollup(Box::new(w.clone()))
}

/// Demands that a witness follows the rules, natively and in rows.
#[track_caller]
fn accepted(plan: &Plan) -> Published {
    let w = plan.witness();
    let (published, broken) = evaluate(plan.suite, plan.capacity, &w);
    assert_eq!(broken, []);
    let report = circuit(plan.suite, plan.capacity)
        .check_raw(&raw(&w))
        .unwrap();
    assert_eq!(report.public_input, published.public_input());
    let unchecked = zkwhirl_circuits::tx_rollup::published(plan.suite, plan.capacity, &w);
    assert_eq!(unchecked, published);
    let fields = zkwhirl_circuits::tx_rollup::published_fields(plan.suite, plan.capacity, &w);
    assert_eq!(fields, published.fields());
    published
}

const REQUESTS: [(&str, u32); 3] = [
    ("valid_1x1_0_tx_rollup", 1),
    ("valid_2x2_0_tx_rollup", 2),
    ("valid_2x2_1_tx_rollup", 2),
];

#[test]
fn real_requests() {
    for (name, txs) in REQUESTS {
        let request = common::tx_rollup(&format!("{name}_request.bin"));
        let statement = statement::tx_rollup(Suite::Pedersen, &request, txs).unwrap();
        let count = 108 + 8 * txs.next_power_of_two() as usize;
        let reply = common::reply(&format!("{name}_reply.bin"), count);
        assert_eq!(statement.published.fields(), reply, "{name}");
        let kind = StatementKind::TxRollup { txs };
        let words = statement.published.to_words();
        assert_eq!(
            Published::from_words(kind, &words, statement.published.clients()).unwrap(),
            statement.published
        );
        let report = circuit(Suite::Pedersen, txs).check(&request).unwrap();
        assert_eq!(report.public_input, statement.public_input());
    }
}

#[test]
fn the_large_request_natively() {
    let request = common::tx_rollup("valid_28x2_0_tx_rollup_request.bin");
    let statement = statement::tx_rollup(Suite::Pedersen, &request, 28).unwrap();
    let fields = statement.published.fields();
    assert_eq!(fields.len(), 108 + 8 * 32);
    assert_eq!(fields[place::SLOTS], Fr::from(32u64));
}

/// 43 million rows: a minute and 2 GB.
#[test]
#[ignore = "minutes of work: run it when the circuit changes"]
fn the_large_request_in_rows() {
    let request = common::tx_rollup("valid_28x2_0_tx_rollup_request.bin");
    circuit(Suite::Pedersen, 28).check(&request).unwrap();
}

#[test]
fn every_rule_in_one_rollup() {
    for suite in Suite::ALL {
        let published = accepted(&Plan::new(suite, 2));
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
    let mut plan = Plan::new(Suite::Poseidon, 3);
    plan.txs.truncate(1);
    let published = accepted(&plan);
    // One tx, two slots of padding, one slot that has no tx at all.
    assert_eq!(published.fields().len(), 108 + 8 * 4);
    assert!(
        published.fields()[place::TXS + 8..]
            .iter()
            .all(|field| *field == Fr::ZERO)
    );
    let mut plan = Plan::new(Suite::Pedersen, 2);
    plan.txs.truncate(1);
    accepted(&plan);
}

#[test]
fn chains_through_the_last_tx_that_matches() {
    // Tx 1 and 2 both make the note that tx 3 links to; only tx 2 allows it.
    let mut plan = Plan::new(Suite::Poseidon, 4);
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
        &plan.witness(),
        (Some(3), Rule::ChainNotAllowed),
        "chaining",
    );
}

#[test]
fn what_fees_may_do() {
    // An unlisted asset, the filler itself, and an account with a repeated asset.
    for (proof_id, asset) in [(1u64, 9u64), (1, NO_ASSET), (4, 1)] {
        let mut plan = Plan::new(Suite::Poseidon, 1);
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
    let mut plan = Plan::new(Suite::Poseidon, 1);
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
        let circuit = circuit(suite, txs);
        let blank = circuit.matrices();
        let w = raw(&Plan::new(suite, txs).witness());
        assert_eq!(
            circuit.matrices_raw(&w).unwrap().digest(),
            blank.digest(),
            "{circuit}"
        );
        let assignment = circuit.assign_raw(&w).unwrap();
        assert_eq!(blank.first_unsatisfied(&assignment), None);
    }
}

/// Demands that exactly one rule is broken, and that only rows of one part
/// of the circuit notice.
#[track_caller]
fn refused(plan: &Plan, w: &TxRollupWitness, broken: (Option<usize>, Rule), part: &str) {
    assert_eq!(violations(plan.suite, plan.capacity, w), [broken]);
    let rows = circuit(plan.suite, plan.capacity)
        .unsatisfied_raw(&raw(w))
        .unwrap();
    let parts: Vec<&str> = rows.iter().map(|row| row.part).collect();
    assert!(parts.contains(&part), "{broken:?}: {parts:?}");
    // Pedersen hashes bits: a value out of range is hashed as another one.
    // A deposit without its one bridge has no nonce, so the note differs too;
    // a missing tx has neither proof id nor data root.
    let entangled = matches!(broken.1, Rule::DepositBridge | Rule::TxCount);
    let alone = plan.suite == Suite::Poseidon && !entangled;
    assert!(
        !alone || parts.iter().all(|name| *name == part),
        "{broken:?}: {parts:?}"
    );
}

#[test]
fn every_rule_broken_alone_is_unsatisfiable() {
    for (tx, rule, part, break_it) in PLANS {
        let mut plan = Plan::new(Suite::Poseidon, 2);
        break_it(&mut plan);
        refused(&plan, &plan.witness(), (tx, rule), part);
    }
}

#[test]
fn wrong_roots_and_paths_are_unsatisfiable() {
    let plan = Plan::new(Suite::Poseidon, 2);
    let good = plan.witness();
    let check = |tx, rule, part, break_it: &dyn Fn(&mut TxRollupWitness)| {
        let mut w = good.clone();
        break_it(&mut w);
        refused(&plan, &w, (tx, rule), part);
    };
    check(None, Rule::NewDataRoot, "data tree", &|w| {
        w.new_data_root += Fr::ONE
    });
    check(None, Rule::OldDataRoot, "data tree", &|w| {
        // A sibling that is not there, with the new root that would follow.
        let before = w.data_siblings.clone();
        w.data_siblings[30] += Fr::ONE;
        let leaves: Vec<Fr> = evaluate(plan.suite, 2, &good).0.fields()[place::TXS..]
            .chunks(8)
            .flat_map(|f| [f[1], f[2]])
            .collect();
        let notes = zkwhirl_circuits::tree::subtree_root(plan.suite, &leaves);
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
    let mut plan = Plan::new(Suite::Poseidon, 1);
    plan.txs.clear();
    refused(
        &plan,
        &plan.witness(),
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
        let mut plan = Plan::new(suite, 1);
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
            refused(&plan, &plan.witness(), broken, "nullifier tree");
        }
    }
}

#[test]
fn the_pedersen_suite_refuses_too() {
    type Breaker = (Rule, fn(&mut Plan));
    let plans: [Breaker; 4] = [
        (Rule::OldNullRoot(1), |p| p.txs[0][3] = random(901)),
        (Rule::LinkedCommitment, |p| p.txs[0][14] = old_note(5)),
        (Rule::DataRoot, |p| p.txs[0][8] = random(998)),
        (Rule::DepositBridge, |p| p.txs[0][11] = Fr::from(9u64)),
    ];
    for (rule, break_it) in plans {
        let mut plan = Plan::new(Suite::Pedersen, 1);
        break_it(&mut plan);
        let part = match rule {
            Rule::OldNullRoot(_) => "nullifier tree",
            Rule::LinkedCommitment => "linked commitment membership",
            Rule::DataRoot => "data root membership",
            _ => "claim completion",
        };
        refused(&plan, &plan.witness(), (Some(0), rule), part);
    }
}

#[test]
fn what_the_verifier_of_published_words_checks() {
    let plan = Plan::new(Suite::Poseidon, 2);
    let (published, _) = evaluate(plan.suite, plan.capacity, &plan.witness());
    let (kind, words) = (published.kind(), published.to_words());
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
    let wide = zkwhirl_circuits::field::to_word(&power_of_two(250));
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
    let good = common::tx_rollup("valid_2x2_0_tx_rollup_request.bin");
    let refused = |request: &zkwhirl_job::request::TxRollupRequest, txs: u32| {
        statement::tx_rollup(Suite::Pedersen, request, txs).unwrap_err()
    };
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
    assert!(matches!(
        refused(&request, 2),
        StatementError::NotCanonical(_)
    ));
    let claim = common::claim("valid_claim_0_request.bin");
    let error = circuit(Suite::Pedersen, 1).assign(&claim).unwrap_err();
    assert_eq!(error.to_string(), "the request is not a tx-rollup request");
}
