//! The native rules of a claim.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};

use super::{Claim, ClaimWitness};
use crate::bridge::BridgeCallData;
use crate::gadgets::integer::{AMOUNT_BITS, wide_product};
use crate::notes::{DEPOSIT_BITS, ValueNote};
use crate::proof_id;
use crate::published::{CLIENT_FIELDS, Published};
use crate::rule::{Rule, Scope, Violation, Violations};
use crate::suite::Suite;
use crate::tree::{DATA_DEPTH, DEFI_DEPTH};

/// Length of an interaction's nonce in bits.
pub(super) const NONCE_BITS: usize = 30;

/// Returns every rule that a witness breaks, in the order of the checks.
///
/// There is no rule that the outputs do not exceed the totals: this follows
/// from the shares and from the deposit not exceeding the total input.
pub(super) fn violations(suite: Suite, w: &ClaimWitness) -> Vec<Violation> {
    let mut broken = Violations::default();
    broken.demand_ranges(Scope::Whole, ranges(w));
    match BridgeCallData::decode(&w.claim.bridge) {
        None => broken.demand(false, Rule::BridgeBits),
        Some(bridge) => bridge.demand_rules(&mut broken),
    }
    let [deposit, input] = [w.claim.deposit, w.defi.total_input].map(|v| v.into_bigint());
    broken.demand(w.claim.deposit != Fr::ZERO, Rule::DepositZero);
    broken.demand(deposit <= input, Rule::DepositAboveTotal);
    for (name, total, out) in [
        ('a', w.defi.total_output_a, w.output_a),
        ('b', w.defi.total_output_b, w.output_b),
    ] {
        broken.demand(is_share(w, total, out), Rule::Share(name));
    }
    broken.demand(w.claim.bridge == w.defi.bridge, Rule::BridgeMismatch);
    broken.demand(w.nonce == w.defi.nonce, Rule::NonceMismatch);
    broken.demand(w.folded_data_root(suite) == w.data_root, Rule::ClaimNote);
    broken.demand(w.folded_defi_root(suite) == w.defi_root, Rule::DefiNote);
    broken.0
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
        (&w.claim_index, DATA_DEPTH, "claim note index"),
        (&w.defi_index, DEFI_DEPTH, "interaction note index"),
        (&w.defi.result, 1, "interaction result"),
    ]
}

/// Returns whether `out = ⌊deposit·total / input⌋`.
fn is_share(w: &ClaimWitness, total: Fr, out: Fr) -> bool {
    let [deposit, total, out, input] =
        [w.claim.deposit, total, out, w.defi.total_input].map(|v| v.into_bigint());
    let mut rest = wide_product(deposit, total);
    let negative = rest.sub_with_borrow(&wide_product(out, input));
    let input = wide_product(input, Fr::ONE.into_bigint());
    !negative && rest < input
}

/// Returns the 16 published fields of a claim, which have a meaning only if the rules hold.
pub fn published(suite: Suite, w: &ClaimWitness) -> Published {
    let zero = Fr::ZERO;
    let claim_note = w.claim_note(suite);
    let nullifiers = [
        suite.claim_nullifier(claim_note),
        suite.defi_nullifier(w.defi.commit(suite), claim_note),
    ];
    let bridge = BridgeCallData::decode(&w.claim.bridge).unwrap_or_default();
    let asset = |output: u32| match BridgeCallData::is_virtual(output) {
        true => Fr::from(output) + w.nonce,
        false => Fr::from(output),
    };
    let (values, assets, second) = if w.defi.result == zero {
        let assets = [bridge.input_a, bridge.input_b].map(Fr::from);
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
    let mut fields = vec![zero; CLIENT_FIELDS];
    fields[0] = Fr::from(proof_id::CLAIM);
    let notes = [first, if second { other } else { zero }];
    fields.splice(1..5, notes.into_iter().chain(nullifiers));
    let asset = Fr::from(bridge.input_a);
    fields.splice(8..12, [w.data_root, w.fee, asset, w.claim.bridge]);
    fields[13] = w.defi_root;
    Published::new(Claim, fields, Vec::new())
}
