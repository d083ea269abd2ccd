//! The rules of an inner rollup in rows.

use ark_bn254::Fr;

use super::TxRollupWitness;
use super::bridges::Lists;
use super::data_tree::insert_notes;
use super::slot::Rollup;
use crate::gadgets::hash::Word;
use crate::published::{FIELDS_PER_TX, publish};
use crate::r1cs::{Bit, Builder, Num};
use crate::statement::StatementKind;
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
    let mut rollup = Rollup::open(b, suite, w);
    let new_data_root = b.alloc(w.new_data_root);
    let old_null_root = b.alloc(w.old_null_root);
    rollup.null_root = Some(old_null_root.clone());
    let padding = w.padding(w.last_null_root());
    let (mut txs, mut clients): (Vec<Num>, Vec<Num>) = (Vec::new(), Vec::new());
    for at in 0..capacity as usize {
        let tx = w.txs.get(at).unwrap_or(&padding);
        let slot = rollup.slot(b, at, tx, at < real);
        txs.extend(slot.fields);
        clients.push(slot.client);
    }
    txs.resize_with(FIELDS_PER_TX * slots, Num::zero);
    clients.resize_with(slots, Num::zero);
    let leaves: Vec<Num> = txs
        .chunks(FIELDS_PER_TX)
        .flat_map(|f| [f[1].clone(), f[2].clone()])
        .collect();
    let start = b.part("data tree", |b| {
        insert_notes(
            b,
            suite,
            w,
            &leaves,
            (&rollup.old_data_root, &new_data_root),
        )
    });
    let new_null_root = rollup.null_root.unwrap_or_else(|| old_null_root.clone());
    let mut fields = vec![
        rollup.rollup_id.num,
        Num::constant(Fr::from(slots as u64)),
        start,
        rollup.old_data_root,
        new_data_root,
        old_null_root,
        new_null_root,
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
    b.part("public input", |b| {
        publish(b, kind, fields);
    });
}

impl Rollup {
    /// Allocates what all slots share. No tx was before, and nullifiers are
    /// not inserted until there is a root.
    pub(super) fn open(b: &mut Builder, suite: Suite, w: &TxRollupWitness) -> Self {
        let [old_data_root, data_roots_root, new_defi_root] =
            [w.old_data_root, w.data_roots_root, w.new_defi_root].map(|root| b.alloc(root));
        let rollup_id = b.part("header and lists", |b| {
            let rollup_id = b.alloc(w.rollup_id);
            Word::ranged(b, &rollup_id, ROLLUP_ID_BITS)
        });
        let lists = b.part("header and lists", |b| Lists::new(b, w));
        Self {
            suite,
            rollup_id,
            old_data_root,
            data_roots_root,
            new_defi_root,
            lists,
            earlier: Vec::new(),
            null_root: None,
            real: Bit::constant(true),
        }
    }
}
