//! The rules of a claim as rows (constraints).

use ark_bn254::Fr;
use zkwhirl_job::Topic;

use super::rules::{NONCE_BITS, published, violations};
use super::{Claim, ClaimWitness};
use crate::bridge::ASSET_BITS;
use crate::error::StatementError;
use crate::gadgets::bits::{enforce_at_most, enforce_nonzero_where};
use crate::gadgets::bridge::BridgeRows;
use crate::gadgets::hash::{BitNum, hash};
use crate::gadgets::integer::{AMOUNT_BITS, enforce_share};
use crate::gadgets::merkle::root_of;
use crate::notes::DEPOSIT_BITS;
use crate::proof_id;
use crate::published::{CLIENT_FIELDS, Published, publish};
use crate::r1cs::{Bit, Builder, Num};
use crate::rule::Violation;
use crate::statement::definition::{self, Statement};
use crate::suite::{HashIndex, Suite};

/// Length of a value note's asset id in bits: a virtual one is `2^29` plus a 30-bit nonce.
const OUTPUT_ASSET_BITS: usize = ASSET_BITS + 1;

/// The fields of both notes, with bits. Bridge call data and nonce are shared
/// variables, so they are equal in both notes by construction.
struct NoteFields {
    deposit: BitNum,
    fee: BitNum,
    nonce: BitNum,
    value_note_partial: BitNum,
    input_nullifier: BitNum,
    total_input: BitNum,
    totals: [BitNum; 2],
    outputs: [BitNum; 2],
    result: Bit,
}

impl Statement for Claim {
    type Witness = ClaimWitness;

    const NAME: &'static str = "claim";
    const TAG: u64 = 1;
    const TOPIC: Topic = Topic::Inner;
    const FIELDS: usize = CLIENT_FIELDS;

    fn violations(self, suite: Suite, w: &ClaimWitness) -> Vec<Violation> {
        violations(suite, w)
    }

    fn enforce(self, b: &mut Builder, suite: Suite, w: &ClaimWitness) {
        let bridge = b.part("bridge call data", |b| BridgeRows::alloc(b, w.claim.bridge));
        let fields = b.part("ranges", |b| fields(b, suite, w));
        b.part("shares", |b| {
            for (total, out) in fields.totals.iter().zip(&fields.outputs) {
                enforce_share(b, [&fields.deposit, total, out, &fields.total_input]);
            }
        });
        let claim_note = b.part("notes", |b| claim_note(b, suite, &fields, &bridge));
        let defi_note = b.part("notes", |b| defi_note(b, suite, &fields, &bridge));
        let data_root = b.part("claim note membership", |b| {
            let path = (w.claim_index, &w.claim_siblings[..]);
            membership(b, suite, &claim_note.num, path, w.data_root)
        });
        let defi_root = b.part("interaction note membership", |b| {
            let path = (w.defi_index, &w.defi_siblings[..]);
            membership(b, suite, &defi_note.num, path, w.defi_root)
        });
        let nullifiers = b.part("nullifiers", |b| {
            let inputs = [&defi_note, &claim_note];
            let first = hash(b, suite, HashIndex::ClaimNullifier, &inputs[1..]);
            [first, hash(b, suite, HashIndex::DefiNullifier, &inputs)]
        });
        let outputs = b.part("output notes", |b| {
            outputs(b, suite, (&fields, &bridge), &nullifiers)
        });
        let mut published = vec![Num::zero(); CLIENT_FIELDS];
        published[0] = Num::constant(Fr::from(proof_id::CLAIM));
        published.splice(1..5, outputs.into_iter().chain(nullifiers));
        let [asset, _] = bridge.input;
        published.splice(8..12, [data_root, fields.fee.num, asset, bridge.word.num]);
        published[13] = defi_root;
        publish::<Claim>(b, published);
    }
}

/// Checks every rule of a claim; returns its 16 published fields.
pub fn check(suite: Suite, w: &ClaimWitness) -> Result<Published, StatementError> {
    definition::demand_none(&Claim.violations(suite, w))?;
    Ok(published(suite, w))
}

fn fields(b: &mut Builder, suite: Suite, w: &ClaimWitness) -> NoteFields {
    let ranged = |b: &mut Builder, value: Fr, bits: usize| {
        let num = b.alloc(value);
        BitNum::ranged(b, &num, bits)
    };
    let boolean = |b: &mut Builder, value: Fr| {
        let num = b.alloc(value);
        b.enforce(&num, &num, &num);
        Bit::assert_boolean(num)
    };
    let deposit = ranged(b, w.claim.deposit, DEPOSIT_BITS);
    let total_input = ranged(b, w.defi.total_input, AMOUNT_BITS);
    let fields = NoteFields {
        fee: ranged(b, w.fee, DEPOSIT_BITS),
        nonce: ranged(b, w.nonce, NONCE_BITS),
        totals: [w.defi.total_output_a, w.defi.total_output_b].map(|v| ranged(b, v, AMOUNT_BITS)),
        outputs: [w.output_a, w.output_b].map(|v| ranged(b, v, AMOUNT_BITS)),
        value_note_partial: element(b, suite, w.claim.value_note_partial),
        input_nullifier: element(b, suite, w.claim.input_nullifier),
        result: boolean(b, w.defi.result),
        deposit,
        total_input,
    };
    enforce_nonzero_where(b, &fields.deposit.num, &Num::one());
    enforce_at_most(b, &fields.deposit.num, &fields.total_input.num, AMOUNT_BITS);
    fields
}

fn element(b: &mut Builder, suite: Suite, value: Fr) -> BitNum {
    let num = b.alloc(value);
    BitNum::element(b, suite, &num)
}

fn claim_note(b: &mut Builder, suite: Suite, fields: &NoteFields, bridge: &BridgeRows) -> BitNum {
    let inputs = [
        &fields.deposit,
        &bridge.word,
        &fields.value_note_partial,
        &fields.input_nullifier,
    ];
    let partial = hash(b, suite, HashIndex::ClaimNotePartial, &inputs);
    let partial = BitNum::element(b, suite, &partial);
    let inputs = [&partial, &fields.nonce, &fields.fee];
    let note = hash(b, suite, HashIndex::ClaimNote, &inputs);
    BitNum::element(b, suite, &note)
}

fn defi_note(b: &mut Builder, suite: Suite, fields: &NoteFields, bridge: &BridgeRows) -> BitNum {
    let (num, bits) = (fields.result.num().clone(), vec![fields.result.clone()]);
    let result = BitNum { num, bits };
    let [total_a, total_b] = &fields.totals;
    let inputs = [
        &bridge.word,
        &fields.total_input,
        total_a,
        total_b,
        &fields.nonce,
        &result,
    ];
    let note = hash(b, suite, HashIndex::DefiInteractionNote, &inputs);
    BitNum::element(b, suite, &note)
}

/// Returns the published root after enforcing that the leaf is under it. The
/// root was made canonically, so the folding need not enforce canonicity.
fn membership(b: &mut Builder, suite: Suite, leaf: &Num, path: (Fr, &[Fr]), root: Fr) -> Num {
    let folded = root_of(b, suite, leaf, path);
    let root = b.alloc(root);
    b.equal(&folded, &root);
    root
}

/// Returns the commitments of the two output notes; the second is zero if it is unused.
fn outputs(
    b: &mut Builder,
    suite: Suite,
    (fields, bridge): (&NoteFields, &BridgeRows),
    nullifiers: &[Num; 2],
) -> [Num; 2] {
    let result = &fields.result;
    let seconds = [&bridge.second_output, &bridge.second_input].map(Bit::num);
    let second = b.select(result, seconds[0], seconds[1]);
    let notes: Vec<Num> = (0..2)
        .map(|i| {
            let value = b.select(result, &fields.outputs[i].num, &fields.deposit.num);
            // The nonce is added to the placeholder id of a virtual output.
            let nonce = b.mul(bridge.is_virtual[i].num(), &fields.nonce.num);
            let asset = b.select(result, &(&bridge.output[i] + &nonce), &bridge.input[i]);
            let value = BitNum::implied(b, suite, &value, AMOUNT_BITS);
            let asset = BitNum::implied(b, suite, &asset, OUTPUT_ASSET_BITS);
            let nullifier = BitNum::element(b, suite, &nullifiers[i]);
            let inputs = [&fields.value_note_partial, &value, &asset, &nullifier];
            hash(b, suite, HashIndex::ValueNote, &inputs)
        })
        .collect();
    [notes[0].clone(), b.mul(&second, &notes[1])]
}
