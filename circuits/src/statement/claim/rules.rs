//! The rules of a claim, natively.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};

use super::ClaimWitness;
use crate::bridge::{BridgeCallData, VIRTUAL_BIT};
use crate::client::proof_id;
use crate::error::Rule;
use crate::field::fits;
use crate::gadgets::integer::{AMOUNT_BITS, wide_product};
use crate::notes::ValueNote;
use crate::published::Published;
use crate::statement::StatementKind;
use crate::suite::Suite;

/// Bits of deposits and fees.
pub(crate) const DEPOSIT_BITS: usize = 242;
/// Bits of interaction nonces.
pub(crate) const NONCE_BITS: usize = 30;
const PLACEHOLDER: u32 = 1 << VIRTUAL_BIT;

/// Every rule that a witness breaks, in the order in which they are checked.
///
/// That outputs do not exceed the totals is no rule of its own: it follows
/// from the shares and from the deposit not exceeding the total input.
pub fn violations(suite: Suite, w: &ClaimWitness) -> Vec<Rule> {
    let mut broken = Vec::new();
    let mut demand = |holds: bool, rule: Rule| {
        if !holds {
            broken.push(rule);
        }
    };
    for (value, bits, name) in ranges(w) {
        demand(fits(value, bits), Rule::Range(name));
    }
    match BridgeCallData::decode(&w.claim.bridge) {
        None => demand(false, Rule::BridgeBits),
        Some(bridge) => bridge_rules(&bridge, &mut demand),
    }
    let [deposit, input] = [w.claim.deposit, w.defi.total_input].map(|v| v.into_bigint());
    demand(w.claim.deposit != Fr::ZERO, Rule::DepositZero);
    demand(deposit <= input, Rule::DepositAboveTotal);
    demand(
        is_share(w, w.defi.total_output_a, w.output_a),
        Rule::Share('a'),
    );
    demand(
        is_share(w, w.defi.total_output_b, w.output_b),
        Rule::Share('b'),
    );
    demand(w.claim.bridge == w.defi.bridge, Rule::BridgeMismatch);
    demand(w.nonce == w.defi.nonce, Rule::NonceMismatch);
    demand(w.folded_data_root(suite) == w.data_root, Rule::ClaimNote);
    demand(w.folded_defi_root(suite) == w.defi_root, Rule::DefiNote);
    broken
}

fn ranges(w: &ClaimWitness) -> [(&Fr, usize, &'static str); 12] {
    [
        (&w.claim.deposit, DEPOSIT_BITS, "deposit"),
        (&w.fee, DEPOSIT_BITS, "fee"),
        (&w.nonce, NONCE_BITS, "claim note nonce"),
        (&w.defi.nonce, NONCE_BITS, "interaction note nonce"),
        (&w.defi.total_input, AMOUNT_BITS, "total input value"),
        (&w.defi.total_output_a, AMOUNT_BITS, "total output value a"),
        (&w.defi.total_output_b, AMOUNT_BITS, "total output value b"),
        (&w.output_a, AMOUNT_BITS, "output value a"),
        (&w.output_b, AMOUNT_BITS, "output value b"),
        (
            &w.claim_index,
            super::witness::DATA_DEPTH,
            "claim note index",
        ),
        (
            &w.defi_index,
            super::witness::DEFI_DEPTH,
            "interaction note index",
        ),
        (&w.defi.result, 1, "interaction result"),
    ]
}

/// The rules that make bridge call data consistent.
pub(crate) fn bridge_rules(bridge: &BridgeCallData, demand: &mut impl FnMut(bool, Rule)) {
    let virtual_a = BridgeCallData::is_virtual(bridge.output_a);
    let virtual_b = BridgeCallData::is_virtual(bridge.output_b);
    demand(
        bridge.input_b == 0 || bridge.second_input,
        Rule::SecondInputUnused,
    );
    demand(
        bridge.output_b == 0 || bridge.second_output,
        Rule::SecondOutputUnused,
    );
    let equal_inputs = bridge.second_input && bridge.input_a == bridge.input_b;
    demand(!equal_inputs, Rule::EqualInputs);
    let both_real = bridge.second_output && !virtual_a && !virtual_b;
    demand(
        !both_real || bridge.output_a != bridge.output_b,
        Rule::EqualOutputs,
    );
    let placeholder = |is_virtual: bool, asset| !is_virtual || asset == PLACEHOLDER;
    let placeholders =
        placeholder(virtual_a, bridge.output_a) && placeholder(virtual_b, bridge.output_b);
    demand(placeholders, Rule::VirtualOutput);
}

/// `out = ⌊deposit·total / input⌋`.
fn is_share(w: &ClaimWitness, total: Fr, out: Fr) -> bool {
    let [deposit, total, out, input] =
        [w.claim.deposit, total, out, w.defi.total_input].map(|v| v.into_bigint());
    let mut rest = wide_product(deposit, total);
    let negative = rest.sub_with_borrow(&wide_product(out, input));
    let input = wide_product(input, Fr::ONE.into_bigint());
    !negative && rest < input
}

/// The 16 published fields of a claim; they mean something only if it follows the rules.
pub fn published(suite: Suite, w: &ClaimWitness) -> Published {
    let zero = Fr::ZERO;
    let claim_note = w.claim_note(suite);
    let nullifiers = [
        suite.claim_nullifier(claim_note),
        suite.defi_nullifier(w.defi.commit(suite), claim_note),
    ];
    let bridge = BridgeCallData::decode(&w.claim.bridge).unwrap_or_default();
    let asset = |output: u32| {
        let nonce = if BridgeCallData::is_virtual(output) {
            w.nonce
        } else {
            zero
        };
        Fr::from(u64::from(output)) + nonce
    };
    let (values, assets, second) = if w.defi.result == zero {
        let assets = [bridge.input_a, bridge.input_b].map(|id| Fr::from(u64::from(id)));
        ([w.claim.deposit; 2], assets, bridge.second_input)
    } else {
        let assets = [asset(bridge.output_a), asset(bridge.output_b)];
        ([w.output_a, w.output_b], assets, bridge.second_output)
    };
    let [first, other]: [Fr; 2] = std::array::from_fn(|i| {
        let note = ValueNote {
            partial: w.claim.value_note_partial,
            value: values[i],
            asset: assets[i],
            input_nullifier: nullifiers[i],
        };
        note.commit(suite)
    });
    let fields = vec![
        Fr::from(proof_id::CLAIM),
        first,
        if second { other } else { zero },
        nullifiers[0],
        nullifiers[1],
        zero,
        zero,
        zero,
        w.data_root,
        w.fee,
        Fr::from(u64::from(bridge.input_a)),
        w.claim.bridge,
        zero,
        w.defi_root,
        zero,
        zero,
    ];
    Published::new(StatementKind::Claim, fields, Vec::new())
}
