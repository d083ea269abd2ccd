//! The rules of a claim in rows.

use ark_bn254::Fr;

use super::ClaimWitness;
use super::rules::{DEPOSIT_BITS, NONCE_BITS, placeholder};
use super::witness::{DATA_DEPTH, DEFI_DEPTH};
use crate::bridge::{ASSET_BITS, BRIDGE_BITS, VIRTUAL_BIT, offset};
use crate::circuit::StatementKind;
use crate::client::proof_id;
use crate::gadgets::bits::{
    decompose, enforce_at_most, enforce_nonzero_iff, is_equal, is_zero, pack,
};
use crate::gadgets::hash::{Inputs, Word, hash};
use crate::gadgets::integer::{AMOUNT_BITS, enforce_share};
use crate::gadgets::merkle::fold;
use crate::published::publish;
use crate::r1cs::{Bit, Builder, Num};
use crate::suite::{HashIndex, Suite};

/// A value note's asset id: a virtual one is `2^29` plus a 30-bit nonce.
const OUTPUT_ASSET_BITS: usize = ASSET_BITS + 1;

/// Bridge call data in parts.
struct Bridge {
    word: Word,
    input: [Num; 2],
    output: [Num; 2],
    is_virtual: [Bit; 2],
    second_input: Bit,
    second_output: Bit,
}

/// The notes' fields, with bits. Bridge call data and nonce stand for both
/// notes: that they are equal is how they are built.
struct Fields {
    deposit: Word,
    fee: Word,
    nonce: Word,
    value_note_partial: Word,
    input_nullifier: Word,
    total_input: Word,
    totals: [Word; 2],
    outputs: [Word; 2],
    result: Bit,
}

/// Enforces every rule and publishes the statement.
pub(crate) fn synthesize(b: &mut Builder, suite: Suite, w: &ClaimWitness) {
    let bridge = b.part("bridge call data", |b| bridge(b, w.claim.bridge));
    let fields = b.part("ranges", |b| fields(b, suite, w));
    b.part("shares", |b| shares(b, &fields));
    let claim_note = b.part("notes", |b| claim_note(b, suite, &fields, &bridge));
    let defi_note = b.part("notes", |b| defi_note(b, suite, &fields, &bridge));
    let data_root = b.part("claim note membership", |b| {
        membership(
            b,
            suite,
            &claim_note.num,
            (w.claim_index, &w.claim_siblings),
            w.data_root,
        )
    });
    let defi_root = b.part("interaction note membership", |b| {
        membership(
            b,
            suite,
            &defi_note.num,
            (w.defi_index, &w.defi_siblings),
            w.defi_root,
        )
    });
    let nullifiers = b.part("nullifiers", |b| {
        let first = hash(b, suite, HashIndex::ClaimNullifier, &[&claim_note]);
        let second = hash(
            b,
            suite,
            HashIndex::DefiNullifier,
            &[&defi_note, &claim_note],
        );
        [first, second]
    });
    let outputs = b.part("output notes", |b| {
        outputs(b, suite, &fields, &bridge, &nullifiers)
    });
    let [first, second] = outputs;
    let [nullifier1, nullifier2] = nullifiers;
    let zero = Num::zero;
    let published = vec![
        Num::constant(Fr::from(proof_id::CLAIM)),
        first,
        second,
        nullifier1,
        nullifier2,
        zero(),
        zero(),
        zero(),
        data_root,
        fields.fee.num,
        bridge.input[0].clone(),
        bridge.word.num,
        zero(),
        defi_root,
        zero(),
        zero(),
    ];
    b.part("public input", |b| {
        publish(b, StatementKind::Claim, published)
    });
}

fn bridge(b: &mut Builder, packed: Fr) -> Bridge {
    let value = b.alloc(packed);
    let integer = Word::bits_of(packed);
    // Bits 2 to 31 of the configuration do not exist.
    let unused = offset::CONFIG + 2..offset::AUX;
    let bits: Vec<Bit> = (0..BRIDGE_BITS)
        .map(|j| {
            if unused.contains(&j) {
                Bit::constant(false)
            } else {
                b.alloc_bit(integer(j))
            }
        })
        .collect();
    b.equal(&pack(&bits), &value);
    let asset = |offset: usize| pack(&bits[offset..offset + ASSET_BITS]);
    let input = [asset(offset::INPUT_A), asset(offset::INPUT_B)];
    let output = [asset(offset::OUTPUT_A), asset(offset::OUTPUT_B)];
    let is_virtual =
        [offset::OUTPUT_A, offset::OUTPUT_B].map(|offset| bits[offset + VIRTUAL_BIT].clone());
    let (second_input, second_output) = (
        bits[offset::CONFIG].clone(),
        bits[offset::CONFIG + 1].clone(),
    );
    let word = Word::packed(value, bits);
    let bridge = Bridge {
        word,
        input,
        output,
        is_virtual,
        second_input,
        second_output,
    };
    bridge_rules(b, &bridge);
    bridge
}

fn bridge_rules(b: &mut Builder, bridge: &Bridge) {
    let none = Num::zero();
    for (asset, used) in [
        (&bridge.input[1], &bridge.second_input),
        (&bridge.output[1], &bridge.second_output),
    ] {
        let present = is_zero(b, asset).not();
        b.enforce(present.num(), used.not().num(), &none);
    }
    let equal_inputs = is_equal(b, &bridge.input[0], &bridge.input[1]);
    b.enforce(bridge.second_input.num(), equal_inputs.num(), &none);
    let equal_outputs = is_equal(b, &bridge.output[0], &bridge.output[1]);
    let both_real = b.and(&bridge.is_virtual[0].not(), &bridge.is_virtual[1].not());
    let forbidden = b.and(&both_real, &equal_outputs);
    b.enforce(bridge.second_output.num(), forbidden.num(), &none);
    for (asset, is_virtual) in bridge.output.iter().zip(&bridge.is_virtual) {
        b.enforce(is_virtual.num(), &asset.plus(-placeholder()), &none);
    }
}

fn fields(b: &mut Builder, suite: Suite, w: &ClaimWitness) -> Fields {
    let ranged = |b: &mut Builder, value: Fr, bits: usize| {
        let num = b.alloc(value);
        Word::ranged(b, &num, bits)
    };
    let deposit = ranged(b, w.claim.deposit, DEPOSIT_BITS);
    let total_input = ranged(b, w.defi.total_input, AMOUNT_BITS);
    let fields = Fields {
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
    enforce_nonzero_iff(b, &fields.deposit.num, &Num::one());
    enforce_at_most(b, &fields.deposit.num, &fields.total_input.num, AMOUNT_BITS);
    fields
}

fn element(b: &mut Builder, suite: Suite, value: Fr) -> Word {
    let num = b.alloc(value);
    Word::element(b, suite, &num)
}

fn boolean(b: &mut Builder, value: Fr) -> Bit {
    let num = b.alloc(value);
    b.enforce(&num, &num, &num);
    Bit::assert_boolean(num)
}

fn shares(b: &mut Builder, fields: &Fields) {
    for (total, out) in fields.totals.iter().zip(&fields.outputs) {
        enforce_share(b, [&fields.deposit, total, out, &fields.total_input]);
    }
}

fn claim_note(b: &mut Builder, suite: Suite, fields: &Fields, bridge: &Bridge) -> Word {
    let partial = hash(
        b,
        suite,
        HashIndex::ClaimNotePartial,
        &[
            &fields.deposit,
            &bridge.word,
            &fields.value_note_partial,
            &fields.input_nullifier,
        ],
    );
    let partial = Word::element(b, suite, &partial);
    let note = hash(
        b,
        suite,
        HashIndex::ClaimNote,
        &[&partial, &fields.nonce, &fields.fee],
    );
    Word::element(b, suite, &note)
}

fn defi_note(b: &mut Builder, suite: Suite, fields: &Fields, bridge: &Bridge) -> Word {
    let result = Word::packed(fields.result.num().clone(), vec![fields.result.clone()]);
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
    Word::element(b, suite, &note)
}

/// A leaf under a published root. The root was made canonically, so the
/// folding need not check canonicity.
fn membership(b: &mut Builder, suite: Suite, leaf: &Num, path: (Fr, &[Fr]), root: Fr) -> Num {
    let (index, siblings) = path;
    debug_assert!([DATA_DEPTH, DEFI_DEPTH].contains(&siblings.len()));
    let index = b.alloc(index);
    let bits = decompose(b, &index, siblings.len());
    let siblings = siblings
        .iter()
        .map(|sibling| b.alloc(*sibling))
        .collect::<Vec<_>>();
    let path: Vec<(Num, Bit)> = siblings.into_iter().zip(bits).collect();
    let folded = fold(b, suite, leaf, &path, Inputs::Free);
    let root = b.alloc(root);
    b.equal(&folded, &root);
    root
}

/// The commitments of the two output notes, the second zero if there is none.
fn outputs(
    b: &mut Builder,
    suite: Suite,
    fields: &Fields,
    bridge: &Bridge,
    nullifiers: &[Num; 2],
) -> [Num; 2] {
    let result = &fields.result;
    let second = b.select(
        result,
        bridge.second_output.num(),
        bridge.second_input.num(),
    );
    let notes: Vec<Num> = (0..2)
        .map(|i| {
            let value = b.select(result, &fields.outputs[i].num, &fields.deposit.num);
            // A virtual output is the placeholder, so the nonce is added to it.
            let nonce = b.mul(bridge.is_virtual[i].num(), &fields.nonce.num);
            let asset = b.select(result, &(&bridge.output[i] + &nonce), &bridge.input[i]);
            let value = Word::implied(b, suite, &value, AMOUNT_BITS);
            let asset = Word::implied(b, suite, &asset, OUTPUT_ASSET_BITS);
            let nullifier = Word::element(b, suite, &nullifiers[i]);
            let inputs = [&fields.value_note_partial, &value, &asset, &nullifier];
            hash(b, suite, HashIndex::ValueNote, &inputs)
        })
        .collect();
    [notes[0].clone(), b.mul(&second, &notes[1])]
}
