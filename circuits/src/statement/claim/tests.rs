//! Checks real claims, and breaks each rule alone.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use zkwhirl_job::request::ClaimRequest;

use super::{ClaimWitness, check, published, rules};
use crate::Rule::{self, *};
use crate::bridge::BridgeCallData;
use crate::field::power_of_two;
use crate::tests::support::{rows, vectors};
use crate::{Circuit, StatementError, StatementKind, Suite};

const fn circuit(suite: Suite) -> Circuit {
    let statement = StatementKind::Claim;
    Circuit { suite, statement }
}

/// Real requests, some of them with replies.
const REQUESTS: [(&str, Option<&str>); 8] = [
    ("valid_claim_0", Some("valid_claim_0_reply_real.bin")),
    ("valid_claim_1", None),
    ("valid_claim_2", None),
    ("valid_claim_3", None),
    (
        "pedersen/extra_claim_0",
        Some("pedersen/extra_claim_0_reply.bin"),
    ),
    (
        "pedersen/extra_claim_1",
        Some("pedersen/extra_claim_1_reply.bin"),
    ),
    (
        "pedersen/extra_claim_2",
        Some("pedersen/extra_claim_2_reply.bin"),
    ),
    (FLOW, Some("pedersen/extra_flow_claim_reply.bin")),
];

/// A claim with two inputs and two outputs, all values set.
const FLOW: &str = "pedersen/extra_flow_claim";

fn request(name: &str) -> ClaimRequest {
    vectors::claim(&format!("{name}_request.bin"))
}

/// Asserts that a request follows every rule and publishes these fields,
/// natively and in the circuit.
#[track_caller]
fn publishes(request: &ClaimRequest, fields: Option<Vec<Fr>>) {
    let w = ClaimWitness::new(request).unwrap();
    let published = check(Suite::Pedersen, &w).unwrap();
    if let Some(fields) = fields {
        assert_eq!(published.fields(), fields);
    }
    let (circuit, public_input) = (circuit(Suite::Pedersen), published.public_input());
    rows::accepted(circuit, w.clone(), public_input);
    let assignment = circuit.assign_raw(&w.into()).unwrap();
    assert_eq!(assignment.instance, [Fr::ONE, public_input]);
}

#[test]
fn real_claims() {
    for (name, reply) in REQUESTS {
        let fields = reply.map(|reply| vectors::reply(reply, 16));
        publishes(&request(name), fields);
    }
}

#[test]
fn the_set_of_different_claims() {
    let index = vectors::read("claims/public_inputs.json");
    let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    let claims = index["claims"].as_array().unwrap();
    assert_eq!(claims.len(), 32);
    for claim in claims {
        let name = claim["file"].as_str().unwrap();
        let request = vectors::claim(&format!("claims/{name}"));
        let expected = vectors::elements(&claim["public_inputs"]);
        publishes(&request, Some(expected));
    }
}

/// Returns a real claim with its roots recomputed by a suite's hashes.
fn witness(suite: Suite, name: &str) -> ClaimWitness {
    ClaimWitness::new(&request(name)).unwrap().refolded(suite)
}

fn broken(suite: Suite, w: &ClaimWitness) -> Vec<Rule> {
    let violations = rules::violations(suite, w).into_iter();
    violations.map(|violation| violation.rule).collect()
}

/// Success, refund, one and two outputs, virtual assets: in both suites the
/// circuit accepts the claim and publishes the native statement's fields.
#[test]
fn every_real_claim_in_the_poseidon_suite() {
    for (name, _) in REQUESTS {
        for result in [Fr::ZERO, Fr::ONE] {
            let mut w = witness(Suite::Poseidon, name);
            w.defi.result = result;
            let w = w.refolded(Suite::Poseidon);
            let public_input = published(Suite::Poseidon, &w).public_input();
            rows::accepted(circuit(Suite::Poseidon), w, public_input);
        }
    }
}

/// Changes the bridge call data in both notes.
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

type ClaimBreaker = (Rule, fn(&mut ClaimWitness));

/// Changes that break one rule. The roots are recomputed from the changed
/// values, so that the memberships hold.
const BREAKERS: [ClaimBreaker; 27] = [
    (Range("fee"), |w| w.fee = power_of_two(242)),
    (Range("fee"), |w| w.fee = -Fr::ONE),
    (Range("deposit"), |w| {
        w.claim.deposit = power_of_two(242);
        w.defi.total_input = power_of_two(243);
        outputs(w, [8u64, 4].map(Fr::from), [6u64, 3].map(Fr::from));
    }),
    (Range("total input value"), |w| {
        w.defi.total_input = power_of_two(252);
        (w.output_a, w.output_b) = (Fr::ZERO, Fr::ZERO);
    }),
    (Range("total output value a"), |w| {
        (w.claim.deposit, w.defi.total_input) = (Fr::ONE, power_of_two(3));
        outputs(w, [252, 249].map(power_of_two), [3, 0].map(power_of_two));
    }),
    (Range("total output value b"), |w| {
        (w.claim.deposit, w.defi.total_input) = (Fr::ONE, power_of_two(3));
        outputs(w, [3, 0].map(power_of_two), [252, 249].map(power_of_two));
    }),
    (Range("claim note nonce"), |w| {
        (w.nonce, w.defi.nonce) = (power_of_two(30), power_of_two(30));
    }),
    (Range("claim note index"), |w| {
        w.claim_index = power_of_two(32)
    }),
    (Range("interaction note index"), |w| {
        w.defi_index = power_of_two(30)
    }),
    (Range("interaction result"), |w| {
        w.defi.result = Fr::from(2u64)
    }),
    (BridgeBits, |w| {
        w.claim.bridge += power_of_two(154);
        w.defi.bridge = w.claim.bridge;
    }),
    (BridgeBits, |w| {
        w.claim.bridge += power_of_two(250);
        w.defi.bridge = w.claim.bridge;
    }),
    (SecondInputUnused, |w| {
        bridge(w, |data| (data.second_input, data.input_b) = (false, 5))
    }),
    (SecondOutputUnused, |w| {
        bridge(w, |data| (data.second_output, data.output_b) = (false, 5))
    }),
    (EqualInputs, |w| {
        bridge(w, |data| {
            (data.second_input, data.input_b) = (true, data.input_a)
        })
    }),
    (EqualOutputs, |w| {
        bridge(w, |data| {
            data.second_output = true;
            (data.output_a, data.output_b) = (9, 9);
        })
    }),
    (VirtualOutput, |w| {
        bridge(w, |data| data.output_a = (1 << 29) + 1)
    }),
    (VirtualOutput, |w| {
        bridge(w, |data| {
            (data.second_output, data.output_b) = (true, (1 << 29) + 1)
        })
    }),
    (DepositZero, |w| {
        (w.claim.deposit, w.output_a, w.output_b) = (Fr::ZERO, Fr::ZERO, Fr::ZERO);
    }),
    (DepositAboveTotal, |w| {
        (w.claim.deposit, w.defi.total_input) = (Fr::from(20u64), Fr::from(10u64));
        outputs(w, [30u64, 60].map(Fr::from), [40u64, 80].map(Fr::from));
    }),
    (Share('a'), |w| w.output_a += Fr::ONE),
    (Share('a'), |w| w.output_a -= Fr::ONE),
    (Share('b'), |w| w.output_b += Fr::ONE),
    (Share('a'), |w| w.defi.total_output_a = Fr::ZERO),
    (Share('b'), |w| w.output_b = Fr::ZERO),
    (BridgeMismatch, |w| w.defi.bridge += Fr::ONE),
    (NonceMismatch, |w| w.defi.nonce += Fr::ONE),
];

/// Changes that break one rule under the original roots.
const FOREIGN: [ClaimBreaker; 3] = [
    (ClaimNote, |w| w.data_root += Fr::ONE),
    (DefiNote, |w| w.defi_siblings[29] += Fr::ONE),
    (ClaimNote, |w| w.claim.input_nullifier += Fr::ONE),
];

#[test]
fn every_rule_broken_alone_is_unsatisfiable() {
    for suite in Suite::ALL {
        for (rule, break_it) in BREAKERS {
            let mut w = witness(suite, FLOW);
            assert_eq!(broken(suite, &w), []);
            break_it(&mut w);
            let w = w.refolded(suite);
            let mut broken = broken(suite, &w);
            // Both nonces are equal, so both leave the range.
            broken.retain(|rule| *rule != Range("interaction note nonce"));
            assert_eq!(broken, [rule], "{suite}");
            rows::unsatisfied(circuit(suite), &w.into(), rule);
        }
        for (rule, break_it) in FOREIGN {
            let mut w = witness(suite, "valid_claim_2");
            break_it(&mut w);
            rows::refused(circuit(suite), w, rule);
        }
    }
}

/// Shares out of range in claims that otherwise follow the rules.
#[test]
fn amounts_out_of_range_are_unsatisfiable() {
    for suite in Suite::ALL {
        let mut w = witness(suite, FLOW);
        (w.claim.deposit, w.defi.total_input) = (Fr::ONE, Fr::ONE);
        outputs(&mut w, [power_of_two(252); 2], [power_of_two(252); 2]);
        let w = w.refolded(suite);
        let broken = broken(suite, &w);
        assert_eq!(broken.len(), 4);
        for rule in [Range("output value a"), Range("output value b")] {
            assert!(broken.contains(&rule), "{rule} not among {broken:?}");
            rows::unsatisfied(circuit(suite), &w.clone().into(), rule);
        }
    }
}

#[test]
fn requests_that_break_a_rule_are_refused_with_its_name() {
    let mut request = request("valid_claim_0");
    let refused = |suite, request: &_| {
        let checked = ClaimWitness::new(request).and_then(|w| check(suite, &w));
        checked.unwrap_err()
    };
    // Aztec's own requests are not statements over other hashes.
    let error = refused(Suite::Poseidon, &request);
    assert_eq!(error, ClaimNote.into());
    request.output_value_a = 21u64.into();
    assert_eq!(
        refused(Suite::Pedersen, &request).to_string(),
        "output value a is not the deposit's share of the total"
    );
    request.data_root.0 = [0xff; 32];
    let error = refused(Suite::Pedersen, &request);
    assert_eq!(error, StatementError::NotCanonical("data root"));
}
