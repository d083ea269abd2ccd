//! The rules of an inner rollup in rows.

use ark_bn254::Fr;
use ark_ff::{BigInteger, PrimeField};

use super::TxRollupWitness;
use super::bridges::Lists;
use super::rules::subtree_height;
use super::slot::Rollup;
use crate::circuit::StatementKind;
use crate::claim::DATA_DEPTH;
use crate::field::power_of_two;
use crate::gadgets::bits::pack;
use crate::gadgets::hash::{Inputs, Word};
use crate::gadgets::merkle::{fold, subtree};
use crate::published::{FIELDS_PER_TX, publish};
use crate::r1cs::{Bit, Builder, Num};
use crate::suite::Suite;

/// Bits of a rollup id.
const ROLLUP_ID_BITS: usize = 32;

/// Enforces every rule and publishes the statement.
///
/// Left to the verifier of the published fields, who has them in the clear:
/// `inputs_hash` and the 250-bit range of bridge call datas.
pub(crate) fn synthesize(b: &mut Builder, suite: Suite, capacity: u32, w: &TxRollupWitness) {
    synthesize_real(b, suite, capacity, (w, w.txs.len()));
}

/// [`synthesize`] with an explicit number of slots marked as txs.
pub(super) fn synthesize_real(
    b: &mut Builder,
    suite: Suite,
    capacity: u32,
    witness: (&TxRollupWitness, usize),
) {
    let (w, real) = witness;
    let kind = StatementKind::TxRollup { txs: capacity };
    let slots = kind.slots();
    let [
        old_data_root,
        new_data_root,
        old_null_root,
        data_roots_root,
        new_defi_root,
    ] = [
        w.old_data_root,
        w.new_data_root,
        w.old_null_root,
        w.data_roots_root,
        w.new_defi_root,
    ]
    .map(|root| b.alloc(root));
    let rollup_id = b.part("header and lists", |b| {
        let rollup_id = b.alloc(w.rollup_id);
        Word::ranged(b, &rollup_id, ROLLUP_ID_BITS)
    });
    let lists = b.part("header and lists", |b| Lists::new(b, w));
    let mut rollup = Rollup {
        suite,
        rollup_id,
        old_data_root,
        data_roots_root,
        new_defi_root,
        lists,
        earlier: Vec::new(),
        null_root: old_null_root.clone(),
        real: Bit::constant(true),
    };
    let padding = w.padding();
    let (mut txs, mut clients): (Vec<Num>, Vec<Num>) = (Vec::new(), Vec::new());
    for at in 0..capacity as usize {
        let tx = w.txs.get(at).unwrap_or(&padding);
        let slot = rollup.slot(b, at, tx, at < real);
        txs.extend(slot.fields);
        clients.push(slot.client);
    }
    txs.resize_with(FIELDS_PER_TX * slots, Num::zero);
    clients.resize_with(slots, Num::zero);
    let start = b.part("data tree", |b| {
        insert_notes(b, suite, w, &txs, (&rollup.old_data_root, &new_data_root))
    });
    let mut fields = vec![
        rollup.rollup_id.num,
        Num::constant(Fr::from(slots as u64)),
        start,
        rollup.old_data_root,
        new_data_root,
        old_null_root,
        rollup.null_root,
        rollup.data_roots_root.clone(),
        rollup.data_roots_root,
        Num::zero(),
        rollup.new_defi_root,
    ];
    let Lists {
        bridges,
        sums,
        assets,
        fees,
    } = rollup.lists;
    fields.extend([bridges, sums, assets, fees].concat());
    // The inputs hash keeps its place but is not part of the public input.
    fields.push(Num::zero());
    fields.extend(txs);
    fields.extend(clients);
    b.part("public input", |b| publish(b, kind, fields));
}

/// Inserts the subtree of all notes at its aligned, empty place, and gives
/// the index of its first leaf.
fn insert_notes(
    b: &mut Builder,
    suite: Suite,
    w: &TxRollupWitness,
    txs: &[Num],
    roots: (&Num, &Num),
) -> Num {
    let leaves: Vec<Num> = txs
        .chunks(FIELDS_PER_TX)
        .flat_map(|f| [f[1].clone(), f[2].clone()])
        .collect();
    let height = subtree_height(leaves.len() / 2);
    let notes = subtree(b, suite, &leaves);
    // Only the bits above the subtree exist, so the index is aligned.
    let index = w.data_start_index.into_bigint();
    let bits: Vec<Bit> = (height..DATA_DEPTH)
        .map(|j| b.alloc_bit(index.get_bit(j)))
        .collect();
    let start = b.alloc(w.data_start_index);
    b.equal(&pack(&bits).scale(power_of_two(height)), &start);
    let siblings: Vec<Num> = w.data_siblings[height..]
        .iter()
        .map(|sibling| b.alloc(*sibling))
        .collect();
    let path: Vec<(Num, Bit)> = siblings.into_iter().zip(bits).collect();
    let empty = Num::constant(suite.empty_root(height));
    let old = fold(b, suite, &empty, &path, Inputs::Free);
    b.equal(&old, roots.0);
    let new = fold(b, suite, &notes, &path, Inputs::Canonical);
    b.equal(&new, roots.1);
    start
}
