//! The native rules of a join-split.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;

use super::{JoinSplit, JoinSplitWitness, OWNER_BITS};
use crate::bridge::{ASSET_BITS, BridgeCallData, VIRTUAL_BIT};
use crate::field::fits;
use crate::gadgets::integer::AMOUNT_BITS;
use crate::notes::DEPOSIT_BITS;
use crate::proof_id;
use crate::published::Published;
use crate::rule::{Rule, Scope, Violation, Violations};
use crate::schnorr::{PrivateKey, SCALAR_BITS, is_private_key};
use crate::tree::DATA_DEPTH;

impl JoinSplitWitness {
    /// Signs the statement with its current values.
    pub fn sign(&mut self, key: &PrivateKey) {
        self.signer.signature = key.sign(published(self).public_input());
    }
}

/// Returns every rule that a witness breaks, in the order of the checks.
pub(super) fn violations(w: &JoinSplitWitness) -> Vec<Violation> {
    let mut broken = Violations::default();
    broken.demand_ranges(Scope::Whole, ranges(w));
    kind(w, &mut broken);
    bridge(w, &mut broken);
    notes(w, &mut broken);
    broken.demand(balances(w), Rule::Balance);
    authorisation(w, &mut broken);
    broken.0
}

fn ranges(w: &JoinSplitWitness) -> [(&Fr, usize, &'static str); 13] {
    let [input1, input2] = &w.inputs;
    [
        (&w.public_value, AMOUNT_BITS, "public value"),
        (&w.public_owner, OWNER_BITS, "public owner"),
        (&w.asset, ASSET_BITS, "asset"),
        (&input1.value, AMOUNT_BITS, "input value 1"),
        (&input2.value, AMOUNT_BITS, "input value 2"),
        (&w.outputs[0].value, AMOUNT_BITS, "output value 1"),
        (&w.outputs[1].value, AMOUNT_BITS, "output value 2"),
        (&w.deposit, DEPOSIT_BITS, "deposit"),
        (&w.fee, DEPOSIT_BITS, "fee"),
        (&input1.index, DATA_DEPTH, "input note index 1"),
        (&input2.index, DATA_DEPTH, "input note index 2"),
        (&w.signer.index, DATA_DEPTH, "account note index"),
        (&w.signer.signature.s, SCALAR_BITS, "signature"),
    ]
}

fn is(w: &JoinSplitWitness, kind: u64) -> bool {
    w.proof_id == Fr::from(kind)
}

fn is_public(w: &JoinSplitWitness) -> bool {
    is(w, proof_id::DEPOSIT) || is(w, proof_id::WITHDRAW)
}

fn kind(w: &JoinSplitWitness, broken: &mut Violations) {
    let is_deposit = is(w, proof_id::DEFI_DEPOSIT);
    let public = is_public(w);
    let known = public || is(w, proof_id::SEND) || is_deposit;
    broken.demand(known, Rule::PaymentKind);
    let value = (w.public_value != Fr::ZERO) == public;
    broken.demand(value, Rule::PublicOnly("public value"));
    let owner = (w.public_owner != Fr::ZERO) == public;
    broken.demand(owner, Rule::PublicOnly("public owner"));
    let real = !public || fits(&w.asset, VIRTUAL_BIT);
    broken.demand(real, Rule::PublicVirtual);
    let deposit = (w.deposit != Fr::ZERO) == is_deposit;
    broken.demand(deposit, Rule::DepositOnly("deposit value"));
    let empty = !is_deposit || w.outputs[0].value == Fr::ZERO;
    broken.demand(empty, Rule::ClaimValue);
    broken.demand(!(is_deposit && w.allow_chain[0]), Rule::ChainClaim);
}

fn bridge(w: &JoinSplitWitness, broken: &mut Violations) {
    let is_deposit = is(w, proof_id::DEFI_DEPOSIT);
    let allowed = is_deposit || w.bridge == Fr::ZERO;
    broken.demand(allowed, Rule::DepositOnly("bridge call data"));
    let Some(bridge) = BridgeCallData::decode(&w.bridge) else {
        broken.demand(false, Rule::BridgeBits);
        return;
    };
    bridge.demand_rules(broken);
    broken.demand(!bridge.second_input, Rule::TwoInputs);
    let same = w.asset == Fr::from(bridge.input_a);
    broken.demand(!is_deposit || same, Rule::BridgeAsset);
}

fn notes(w: &JoinSplitWitness, broken: &mut Violations) {
    let [first, second] = &w.inputs;
    let owner = w.owner();
    broken.demand(first.in_use || !second.in_use, Rule::InputOrder);
    let may_have_none = is(w, proof_id::DEPOSIT);
    broken.demand(first.in_use || may_have_none, Rule::NoInput);
    let mut link_found = w.backward_link == Fr::ZERO;
    for (number, (which, input)) in (1u8..).zip(w.inputs.iter().enumerate()) {
        let linked = input.in_use && w.backward_link == w.input_commitment(which);
        link_found |= linked;
        let value = input.in_use || input.value == Fr::ZERO;
        broken.demand(value, Rule::UnusedValue(number));
        let found = !input.in_use || linked || w.folded_root(which) == w.data_root;
        broken.demand(found, Rule::InputNote(number));
    }
    broken.demand(link_found, Rule::BackwardLink);
    for (number, (output, chain)) in (1u8..).zip(w.outputs.iter().zip(w.allow_chain)) {
        let creator = output.partial.creator;
        let known = creator == Fr::ZERO || creator == owner.0;
        broken.demand(known, Rule::Creator(number));
        let own = !chain || output.partial.owner == owner;
        broken.demand(own, Rule::ChainOwner(number));
    }
}

/// Returns whether inputs and outputs balance. With all values in range, both
/// sides (three times 2²⁵² plus twice 2²⁴² at most) are below p.
fn balances(w: &JoinSplitWitness) -> bool {
    let public = |kind| Fr::from(is(w, kind)) * w.public_value;
    let [input1, input2] = &w.inputs;
    let [output1, output2] = &w.outputs;
    let before = input1.value + input2.value + public(proof_id::DEPOSIT);
    let kept = output1.value + output2.value + public(proof_id::WITHDRAW);
    before == kept + w.deposit + w.fee
}

fn authorisation(w: &JoinSplitWitness, broken: &mut Violations) {
    let (owner, signer) = (w.owner(), &w.signer);
    broken.demand(is_private_key(w.private_key), Rule::PrivateKey);
    let named = w.account_required || signer.key == owner;
    broken.demand(named, Rule::SigningKey);
    let registered = !w.account_required || signer.folded_root(owner.0) == w.data_root;
    broken.demand(registered, Rule::AccountNote);
    signer.demand_signature(published(w).public_input(), broken);
}

/// Returns the 16 published fields, which have a meaning only if the rules hold.
pub fn published(w: &JoinSplitWitness) -> Published {
    let zero = Fr::ZERO;
    let is_deposit = is(w, proof_id::DEFI_DEPOSIT);
    let [nullifier1, nullifier2] = w.nullifiers();
    let first = if is_deposit {
        w.claim_partial()
    } else {
        w.output_commitment(0)
    };
    let allow_chain = u64::from(w.allow_chain[0]) + 2 * u64::from(w.allow_chain[1]);
    let fields = vec![
        w.proof_id,
        first,
        w.output_commitment(1),
        nullifier1,
        nullifier2,
        w.public_value,
        w.public_owner,
        if is_public(w) { w.asset } else { zero },
        w.data_root,
        w.fee,
        w.asset,
        w.bridge,
        w.deposit,
        zero,
        w.backward_link,
        Fr::from(allow_chain),
    ];
    Published::new(JoinSplit, fields, Vec::new())
}
