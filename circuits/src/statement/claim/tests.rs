//! The claim statement: real claims, and every rule broken alone.
#![expect(clippy::unwrap_used, reason = "a step that fails must fail the test")]

mod common;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use zkwhirl_circuits::bridge::BridgeCallData;
use zkwhirl_circuits::claim::{ClaimWitness, published, violations};
use zkwhirl_circuits::field::power_of_two;
use zkwhirl_circuits::{
    CheckError, Circuit, Rule, StatementError, StatementKind, Suite, Witness, statement,
};

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

#[test]
fn real_claims() {
    for (name, reply) in REQUESTS {
        let request = common::claim(name);
        let statement = statement::claim(Suite::Pedersen, &request).unwrap();
        if let Some(reply) = reply {
            assert_eq!(
                statement.published.fields(),
                common::reply(reply, 16),
                "{name}"
            );
        }
        let report = PEDERSEN.check(&request).unwrap();
        assert_eq!(report.public_input, statement.public_input());
    }
}

#[test]
fn the_set_of_different_claims() {
    let index: serde_json::Value =
        serde_json::from_slice(&common::read("claims/public_inputs.json")).unwrap();
    let claims = index["claims"].as_array().unwrap();
    assert_eq!(claims.len(), 32);
    for claim in claims {
        let name = claim["file"].as_str().unwrap();
        let request = common::claim(&format!("claims/{name}"));
        let expected = claim["public_inputs"].as_array().unwrap();
        let expected: Vec<Fr> = expected
            .iter()
            .map(|word| common::element(word.as_str().unwrap()))
            .collect();
        let statement = statement::claim(Suite::Pedersen, &request).unwrap();
        assert_eq!(statement.published.fields(), expected, "{name}");
        let report = PEDERSEN.check(&request).unwrap();
        assert_eq!(report.public_input, statement.public_input());
        let assignment = PEDERSEN.assign(&request).unwrap();
        assert_eq!(assignment.instance, [Fr::ONE, statement.public_input()]);
    }
}

/// A real claim with its roots moved to a suite's hashes.
fn witness(suite: Suite, name: &str) -> ClaimWitness {
    refolded(suite, ClaimWitness::new(&common::claim(name)).unwrap())
}

fn refolded(suite: Suite, mut w: ClaimWitness) -> ClaimWitness {
    w.data_root = w.folded_data_root(suite);
    w.defi_root = w.folded_defi_root(suite);
    w
}

fn raw(w: &ClaimWitness) -> Witness {
    Witness::Claim(Box::new(w.clone()))
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
            assert_eq!(violations(Suite::Poseidon, &w), [], "{name}");
            let report = POSEIDON.check_raw(&raw(&w)).unwrap();
            let published = published(Suite::Poseidon, &w);
            assert_eq!(report.public_input, published.public_input());
        }
    }
}

#[test]
fn matrices_do_not_depend_on_the_witness() {
    for circuit in [PEDERSEN, POSEIDON] {
        let blank = circuit.matrices();
        for (name, _) in [REQUESTS[0], REQUESTS[6]] {
            let w = raw(&witness(circuit.suite, name));
            let real = circuit.matrices_raw(&w).unwrap();
            assert_eq!(real.digest(), blank.digest(), "{circuit}");
            let assignment = circuit.assign_raw(&w).unwrap();
            assert_eq!(blank.first_unsatisfied(&assignment), None);
        }
        let rows: usize = circuit.rows().iter().map(|(_, rows)| rows).sum();
        assert_eq!(rows, blank.num_rows);
    }
}

/// Changes bridge call data in both notes.
fn bridge(change: impl Fn(&mut BridgeCallData)) -> impl Fn(&mut ClaimWitness) {
    move |w| {
        let mut data = BridgeCallData::decode(&w.claim.bridge).unwrap();
        change(&mut data);
        w.claim.bridge = data.encode();
        w.defi.bridge = data.encode();
    }
}

fn set(
    field: impl Fn(&mut ClaimWitness) -> &mut Fr,
    value: impl Into<Fr> + Copy,
) -> impl Fn(&mut ClaimWitness) {
    move |w| *field(w) = value.into()
}

type Breaker = Box<dyn Fn(&mut ClaimWitness)>;

/// Ways to break one rule; the roots are folded again from the broken values,
/// so that memberships hold.
fn breakers() -> Vec<(Rule, Breaker)> {
    let two = |bits| power_of_two(bits);
    let list: Vec<(Rule, Breaker)> = vec![
        (Rule::Range("fee"), Box::new(set(|w| &mut w.fee, two(242)))),
        (Rule::Range("fee"), Box::new(set(|w| &mut w.fee, -Fr::ONE))),
        (
            Rule::Range("deposit"),
            Box::new(move |w| {
                w.claim.deposit = two(242);
                w.defi.total_input = two(243);
                w.defi.total_output_a = Fr::from(8u64);
                w.defi.total_output_b = Fr::from(6u64);
                w.output_a = Fr::from(4u64);
                w.output_b = Fr::from(3u64);
            }),
        ),
        (
            Rule::Range("total input value"),
            Box::new(move |w| {
                w.defi.total_input = two(252);
                w.output_a = Fr::ZERO;
                w.output_b = Fr::ZERO;
            }),
        ),
        (
            Rule::Range("total output value a"),
            Box::new(move |w| {
                w.claim.deposit = Fr::ONE;
                w.defi.total_input = two(3);
                (w.defi.total_output_a, w.output_a) = (two(252), two(249));
                (w.defi.total_output_b, w.output_b) = (two(3), Fr::ONE);
            }),
        ),
        (
            Rule::Range("total output value b"),
            Box::new(move |w| {
                w.claim.deposit = Fr::ONE;
                w.defi.total_input = two(3);
                (w.defi.total_output_a, w.output_a) = (two(3), Fr::ONE);
                (w.defi.total_output_b, w.output_b) = (two(252), two(249));
            }),
        ),
        (
            Rule::Range("claim note nonce"),
            Box::new(|w| {
                w.nonce = power_of_two(30);
                w.defi.nonce = w.nonce;
            }),
        ),
        (
            Rule::Range("claim note index"),
            Box::new(set(|w| &mut w.claim_index, two(32))),
        ),
        (
            Rule::Range("interaction note index"),
            Box::new(set(|w| &mut w.defi_index, two(30))),
        ),
        (
            Rule::Range("interaction result"),
            Box::new(set(|w| &mut w.defi.result, 2u64)),
        ),
        (
            Rule::BridgeBits,
            Box::new(|w| {
                w.claim.bridge += power_of_two(154);
                w.defi.bridge = w.claim.bridge;
            }),
        ),
        (
            Rule::BridgeBits,
            Box::new(|w| {
                w.claim.bridge += power_of_two(250);
                w.defi.bridge = w.claim.bridge;
            }),
        ),
        (
            Rule::SecondInputUnused,
            Box::new(bridge(|data| {
                data.second_input = false;
                data.input_b = 5;
            })),
        ),
        (
            Rule::SecondOutputUnused,
            Box::new(bridge(|data| {
                data.second_output = false;
                data.output_b = 5;
            })),
        ),
        (
            Rule::EqualInputs,
            Box::new(bridge(|data| {
                data.second_input = true;
                data.input_b = data.input_a;
            })),
        ),
        (
            Rule::EqualOutputs,
            Box::new(bridge(|data| {
                data.second_output = true;
                data.output_a = 9;
                data.output_b = 9;
            })),
        ),
        (
            Rule::VirtualOutput,
            Box::new(bridge(|data| data.output_a = (1 << 29) + 1)),
        ),
        (
            Rule::VirtualOutput,
            Box::new(bridge(|data| {
                data.second_output = true;
                data.output_b = (1 << 29) + 1;
            })),
        ),
        (
            Rule::DepositZero,
            Box::new(|w| {
                w.claim.deposit = Fr::ZERO;
                w.output_a = Fr::ZERO;
                w.output_b = Fr::ZERO;
            }),
        ),
        (
            Rule::DepositAboveTotal,
            Box::new(|w| {
                w.defi.total_input = Fr::from(10u64);
                w.claim.deposit = Fr::from(20u64);
                w.defi.total_output_a = Fr::from(30u64);
                w.output_a = Fr::from(60u64);
                w.defi.total_output_b = Fr::from(40u64);
                w.output_b = Fr::from(80u64);
            }),
        ),
        (Rule::Share('a'), Box::new(|w| w.output_a += Fr::ONE)),
        (Rule::Share('a'), Box::new(|w| w.output_a -= Fr::ONE)),
        (Rule::Share('b'), Box::new(|w| w.output_b += Fr::ONE)),
        (
            Rule::Share('a'),
            Box::new(|w| w.defi.total_output_a = Fr::ZERO),
        ),
        (Rule::Share('b'), Box::new(|w| w.output_b = Fr::ZERO)),
        (Rule::BridgeMismatch, Box::new(|w| w.defi.bridge += Fr::ONE)),
        (Rule::NonceMismatch, Box::new(|w| w.defi.nonce += Fr::ONE)),
    ];
    list
}

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
    let broken = violations(circuit.suite, w);
    assert!(broken.contains(&rule), "{rule} not among {broken:?}");
    let checked = circuit.check_raw(&raw(w));
    assert!(
        matches!(checked, Err(CheckError::Unsatisfied(_))),
        "{rule} in {circuit}: {checked:?}"
    );
    let rows = circuit.unsatisfied_raw(&raw(w)).unwrap();
    let parts: Vec<&str> = rows.iter().map(|row| row.part).collect();
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
        for (rule, break_it) in breakers() {
            let mut w = witness(circuit.suite, base);
            assert_eq!(violations(circuit.suite, &w), []);
            break_it(&mut w);
            let w = refolded(circuit.suite, w);
            let mut broken = violations(circuit.suite, &w);
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
        let wide = power_of_two(252);
        w.claim.deposit = Fr::ONE;
        w.defi.total_input = Fr::ONE;
        (w.defi.total_output_a, w.output_a) = (wide, wide);
        (w.defi.total_output_b, w.output_b) = (wide, wide);
        let w = refolded(circuit.suite, w);
        assert_eq!(violations(circuit.suite, &w).len(), 4);
        refused(circuit, &w, Rule::Range("output value a"));
        refused(circuit, &w, Rule::Range("output value b"));
    }
}

#[test]
fn foreign_roots_are_unsatisfiable() {
    for circuit in [PEDERSEN, POSEIDON] {
        let good = witness(circuit.suite, "valid_claim_2_request.bin");
        let mut w = good.clone();
        w.data_root += Fr::ONE;
        assert_eq!(violations(circuit.suite, &w), [Rule::ClaimNote]);
        refused(circuit, &w, Rule::ClaimNote);
        let mut w = good.clone();
        w.defi_siblings[29] += Fr::ONE;
        assert_eq!(violations(circuit.suite, &w), [Rule::DefiNote]);
        refused(circuit, &w, Rule::DefiNote);
        let mut w = good;
        w.claim.input_nullifier += Fr::ONE;
        assert_eq!(violations(circuit.suite, &w), [Rule::ClaimNote]);
        refused(circuit, &w, Rule::ClaimNote);
    }
}

#[test]
fn requests_that_break_a_rule_are_refused_with_its_name() {
    let mut request = common::claim("valid_claim_0_request.bin");
    request.output_value_a = 21u64.into();
    let error = statement::claim(Suite::Pedersen, &request).unwrap_err();
    assert_eq!(
        error.to_string(),
        "output value a is not the deposit's share of the total"
    );
    assert_eq!(PEDERSEN.assign(&request), Err(error));
    request.data_root.0 = [0xff; 32];
    let error = statement::claim(Suite::Pedersen, &request).unwrap_err();
    assert_eq!(error, StatementError::NotCanonical("data root".to_owned()));
    // Aztec's own requests are not statements over other hashes.
    let request = common::claim("valid_claim_0_request.bin");
    let error = statement::claim(Suite::Poseidon, &request).unwrap_err();
    assert_eq!(error, Rule::ClaimNote.into());
}
