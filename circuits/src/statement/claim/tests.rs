//! Real claims, and every rule broken alone.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use zkwhirl_job::request::ClaimRequest;

use super::{ClaimWitness, check, published, rules};
use crate::bridge::BridgeCallData;
use crate::field::power_of_two;
use crate::tests::support::{rows, vectors};
use crate::{CheckError, Circuit, Rule, StatementError, StatementKind, Suite};

const PEDERSEN: Circuit = Circuit {
    suite: Suite::Pedersen,
    statement: StatementKind::Claim,
};
const POSEIDON: Circuit = Circuit {
    suite: Suite::Poseidon,
    statement: StatementKind::Claim,
};

/// Real requests without a recorded reply, and those with one.
const REQUESTS: [(&str, Option<&str>); 8] = [
    (
        "valid_claim_0_request.bin",
        Some("valid_claim_0_reply_real.bin"),
    ),
    ("valid_claim_1_request.bin", None),
    ("valid_claim_2_request.bin", None),
    ("valid_claim_3_request.bin", None),
    (
        "pedersen/extra_claim_0_request.bin",
        Some("pedersen/extra_claim_0_reply.bin"),
    ),
    (
        "pedersen/extra_claim_1_request.bin",
        Some("pedersen/extra_claim_1_reply.bin"),
    ),
    (
        "pedersen/extra_claim_2_request.bin",
        Some("pedersen/extra_claim_2_reply.bin"),
    ),
    (
        "pedersen/extra_flow_claim_request.bin",
        Some("pedersen/extra_flow_claim_reply.bin"),
    ),
];

/// Demands that a request follows every rule and publishes these fields, natively
/// and in rows.
#[track_caller]
fn publishes(request: &ClaimRequest, fields: Option<Vec<Fr>>) {
    let w = ClaimWitness::new(request).unwrap();
    let published = check(Suite::Pedersen, &w).unwrap();
    if let Some(fields) = fields {
        assert_eq!(published.fields(), fields);
    }
    let public_input = published.public_input();
    rows::accepted(PEDERSEN, w.clone(), public_input);
    let assignment = PEDERSEN.assign_raw(&w.into()).unwrap();
    assert_eq!(assignment.instance, [Fr::ONE, public_input]);
}

#[test]
fn real_claims() {
    for (name, reply) in REQUESTS {
        let fields = reply.map(|reply| vectors::reply(reply, 16));
        publishes(&vectors::claim(name), fields);
    }
}

#[test]
fn the_set_of_different_claims() {
    let index: serde_json::Value =
        serde_json::from_slice(&vectors::read("claims/public_inputs.json")).unwrap();
    let claims = index["claims"].as_array().unwrap();
    assert_eq!(claims.len(), 32);
    for claim in claims {
        let name = claim["file"].as_str().unwrap();
        let expected = claim["public_inputs"].as_array().unwrap().iter();
        let expected = expected.map(|word| vectors::element(word.as_str().unwrap()));
        let request = vectors::claim(&format!("claims/{name}"));
        publishes(&request, Some(expected.collect()));
    }
}

/// A real claim with its roots moved to a suite's hashes.
fn witness(suite: Suite, name: &str) -> ClaimWitness {
    refolded(suite, ClaimWitness::new(&vectors::claim(name)).unwrap())
}

fn refolded(suite: Suite, mut w: ClaimWitness) -> ClaimWitness {
    w.data_root = w.folded_data_root(suite);
    w.defi_root = w.folded_defi_root(suite);
    w
}

fn broken(suite: Suite, w: &ClaimWitness) -> Vec<Rule> {
    let violations = rules::violations(suite, w).into_iter();
    violations.map(|violation| violation.rule).collect()
}

/// Success, refund, one and two outputs, virtual assets: in both suites the
/// circuit accepts, and publishes what the native statement says.
#[test]
fn every_real_claim_in_the_poseidon_suite() {
    for (name, _) in REQUESTS {
        let mut w = witness(Suite::Poseidon, name);
        for result in [Fr::ZERO, Fr::ONE] {
            w.defi.result = result;
            let w = refolded(Suite::Poseidon, w.clone());
            let public_input = published(Suite::Poseidon, &w).public_input();
            rows::accepted(POSEIDON, w, public_input);
        }
    }
}

#[test]
fn matrices_do_not_depend_on_the_witness() {
    for circuit in [PEDERSEN, POSEIDON] {
        for (name, _) in [REQUESTS[0], REQUESTS[6]] {
            rows::same_matrices(circuit, witness(circuit.suite, name));
        }
        let rows: usize = circuit.rows().iter().map(|(_, rows)| rows).sum();
        assert_eq!(rows, circuit.num_rows());
    }
}

/// Changes bridge call data in both notes.
fn bridge(w: &mut ClaimWitness, change: impl Fn(&mut BridgeCallData)) {
    let mut data = BridgeCallData::decode(&w.claim.bridge).unwrap();
    change(&mut data);
    (w.claim.bridge, w.defi.bridge) = (data.encode(), data.encode());
}

/// Sets the interaction's totals and the claim's shares of them.
fn outputs(w: &mut ClaimWitness, [total_a, out_a]: [Fr; 2], [total_b, out_b]: [Fr; 2]) {
    (w.defi.total_output_a, w.output_a) = (total_a, out_a);
    (w.defi.total_output_b, w.output_b) = (total_b, out_b);
}

type Breaker = (Rule, fn(&mut ClaimWitness));

/// Ways to break one rule. The roots are folded again from the broken values,
/// so that memberships hold.
const BREAKERS: [Breaker; 27] = [
    (Rule::Range("fee"), |w| w.fee = power_of_two(242)),
    (Rule::Range("fee"), |w| w.fee = -Fr::ONE),
    (Rule::Range("deposit"), |w| {
        w.claim.deposit = power_of_two(242);
        w.defi.total_input = power_of_two(243);
        outputs(w, [8u64, 4].map(Fr::from), [6u64, 3].map(Fr::from));
    }),
    (Rule::Range("total input value"), |w| {
        w.defi.total_input = power_of_two(252);
        (w.output_a, w.output_b) = (Fr::ZERO, Fr::ZERO);
    }),
    (Rule::Range("total output value a"), |w| {
        (w.claim.deposit, w.defi.total_input) = (Fr::ONE, power_of_two(3));
        outputs(w, [252, 249].map(power_of_two), [3, 0].map(power_of_two));
    }),
    (Rule::Range("total output value b"), |w| {
        (w.claim.deposit, w.defi.total_input) = (Fr::ONE, power_of_two(3));
        outputs(w, [3, 0].map(power_of_two), [252, 249].map(power_of_two));
    }),
    (Rule::Range("claim note nonce"), |w| {
        (w.nonce, w.defi.nonce) = (power_of_two(30), power_of_two(30));
    }),
    (Rule::Range("claim note index"), |w| {
        w.claim_index = power_of_two(32)
    }),
    (Rule::Range("interaction note index"), |w| {
        w.defi_index = power_of_two(30)
    }),
    (Rule::Range("interaction result"), |w| {
        w.defi.result = Fr::from(2u64)
    }),
    (Rule::BridgeBits, |w| {
        w.claim.bridge += power_of_two(154);
        w.defi.bridge = w.claim.bridge;
    }),
    (Rule::BridgeBits, |w| {
        w.claim.bridge += power_of_two(250);
        w.defi.bridge = w.claim.bridge;
    }),
    (Rule::SecondInputUnused, |w| {
        bridge(w, |data| (data.second_input, data.input_b) = (false, 5))
    }),
    (Rule::SecondOutputUnused, |w| {
        bridge(w, |data| (data.second_output, data.output_b) = (false, 5))
    }),
    (Rule::EqualInputs, |w| {
        bridge(w, |data| {
            (data.second_input, data.input_b) = (true, data.input_a)
        })
    }),
    (Rule::EqualOutputs, |w| {
        bridge(w, |data| {
            data.second_output = true;
            (data.output_a, data.output_b) = (9, 9);
        })
    }),
    (Rule::VirtualOutput, |w| {
        bridge(w, |data| data.output_a = (1 << 29) + 1)
    }),
    (Rule::VirtualOutput, |w| {
        bridge(w, |data| {
            (data.second_output, data.output_b) = (true, (1 << 29) + 1)
        })
    }),
    (Rule::DepositZero, |w| {
        (w.claim.deposit, w.output_a, w.output_b) = (Fr::ZERO, Fr::ZERO, Fr::ZERO);
    }),
    (Rule::DepositAboveTotal, |w| {
        (w.claim.deposit, w.defi.total_input) = (Fr::from(20u64), Fr::from(10u64));
        outputs(w, [30u64, 60].map(Fr::from), [40u64, 80].map(Fr::from));
    }),
    (Rule::Share('a'), |w| w.output_a += Fr::ONE),
    (Rule::Share('a'), |w| w.output_a -= Fr::ONE),
    (Rule::Share('b'), |w| w.output_b += Fr::ONE),
    (Rule::Share('a'), |w| w.defi.total_output_a = Fr::ZERO),
    (Rule::Share('b'), |w| w.output_b = Fr::ZERO),
    (Rule::BridgeMismatch, |w| w.defi.bridge += Fr::ONE),
    (Rule::NonceMismatch, |w| w.defi.nonce += Fr::ONE),
];

/// The part of the circuit that enforces a rule.
fn part(rule: Rule) -> &'static str {
    match rule {
        Rule::Share(_) => "shares",
        Rule::DepositZero | Rule::DepositAboveTotal => "ranges",
        Rule::Range("claim note index") | Rule::ClaimNote => "claim note membership",
        // One variable stands for both notes' bridge call data, and for both
        // nonces: two values cannot both be the one under the roots.
        Rule::Range("interaction note index")
        | Rule::DefiNote
        | Rule::BridgeMismatch
        | Rule::NonceMismatch => "interaction note membership",
        Rule::Range(_) => "ranges",
        _ => "bridge call data",
    }
}

#[track_caller]
fn refused(circuit: Circuit, w: &ClaimWitness, rule: Rule) {
    let broken = broken(circuit.suite, w);
    assert!(broken.contains(&rule), "{rule} not among {broken:?}");
    let w = w.clone().into();
    let checked = circuit.check_raw(&w);
    assert!(
        matches!(checked, Err(CheckError::Unsatisfied(_))),
        "{rule} in {circuit}: {checked:?}"
    );
    let parts = rows::failing_parts(circuit, &w);
    assert!(
        parts.contains(&part(rule)),
        "{rule} in {circuit}: {parts:?}"
    );
    // Pedersen hashes the bits of a value, so a value out of range is hashed
    // as another one and breaks memberships too; Poseidon hashes the value.
    // Shares are of the bits in both suites.
    if circuit == POSEIDON && !matches!(rule, Rule::Range(_)) {
        assert!(
            parts.iter().all(|name| *name == part(rule)),
            "{rule}: {parts:?}"
        );
    }
}

#[test]
fn every_rule_broken_alone_is_unsatisfiable() {
    // Two inputs, two outputs, all values set.
    let base = "pedersen/extra_flow_claim_request.bin";
    for circuit in [PEDERSEN, POSEIDON] {
        for (rule, break_it) in BREAKERS {
            let mut w = witness(circuit.suite, base);
            assert_eq!(broken(circuit.suite, &w), []);
            break_it(&mut w);
            let w = refolded(circuit.suite, w);
            let mut broken = broken(circuit.suite, &w);
            // Equal nonces leave the range together.
            broken.retain(|rule| *rule != Rule::Range("interaction note nonce"));
            assert_eq!(broken, [rule], "{circuit}");
            refused(circuit, &w, rule);
        }
    }
}

/// Shares whose values leave their ranges, in claims that are otherwise right.
#[test]
fn amounts_out_of_range_are_unsatisfiable() {
    for circuit in [PEDERSEN, POSEIDON] {
        let mut w = witness(circuit.suite, "pedersen/extra_flow_claim_request.bin");
        (w.claim.deposit, w.defi.total_input) = (Fr::ONE, Fr::ONE);
        outputs(&mut w, [power_of_two(252); 2], [power_of_two(252); 2]);
        let w = refolded(circuit.suite, w);
        assert_eq!(broken(circuit.suite, &w).len(), 4);
        refused(circuit, &w, Rule::Range("output value a"));
        refused(circuit, &w, Rule::Range("output value b"));
    }
}

#[test]
fn foreign_roots_are_unsatisfiable() {
    let breakers: [Breaker; 3] = [
        (Rule::ClaimNote, |w| w.data_root += Fr::ONE),
        (Rule::DefiNote, |w| w.defi_siblings[29] += Fr::ONE),
        (Rule::ClaimNote, |w| w.claim.input_nullifier += Fr::ONE),
    ];
    for circuit in [PEDERSEN, POSEIDON] {
        for (rule, break_it) in breakers {
            let mut w = witness(circuit.suite, "valid_claim_2_request.bin");
            break_it(&mut w);
            assert_eq!(broken(circuit.suite, &w), [rule]);
            refused(circuit, &w, rule);
        }
    }
}

#[test]
fn requests_that_break_a_rule_are_refused_with_its_name() {
    let mut request = vectors::claim("valid_claim_0_request.bin");
    let check = |suite, request: &_| check(suite, &ClaimWitness::new(request)?);
    // Aztec's own requests are not statements over other hashes.
    let error = check(Suite::Poseidon, &request).unwrap_err();
    assert_eq!(error, Rule::ClaimNote.into());
    request.output_value_a = 21u64.into();
    let error = check(Suite::Pedersen, &request).unwrap_err();
    assert_eq!(
        error.to_string(),
        "output value a is not the deposit's share of the total"
    );
    request.data_root.0 = [0xff; 32];
    let error = check(Suite::Pedersen, &request).unwrap_err();
    assert_eq!(error, StatementError::NotCanonical("data root"));
}
