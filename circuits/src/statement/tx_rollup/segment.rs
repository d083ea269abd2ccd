//! Some consecutive txs of a rollup, in rows.

use super::SegmentWitness;
use super::slot::Rollup;
use crate::published::publish;
use crate::r1cs::{Builder, Num};
use crate::statement::StatementKind;
use crate::suite::Suite;

/// Enforces every rule of a segment's txs and publishes the segment.
///
/// The first slot is a tx: segments of padding alone change nothing and are
/// not proved. Which of these rules are the whole rollup's and which the
/// segment's own does not matter: the published states tie segments together.
pub(crate) fn synthesize_segment(
    b: &mut Builder,
    suite: Suite,
    [txs, of]: [u32; 2],
    w: &SegmentWitness,
) {
    let kind = StatementKind::TxSegment { txs, of };
    let mut rollup = Rollup::open(b, suite, &w.rollup);
    let state_in = rollup.resume(b, &w.state);
    let inserts = suite.segments_insert_nullifiers();
    let null_root_in = inserts.then(|| b.alloc(w.null_root));
    rollup.null_root.clone_from(&null_root_in);
    let own = w.txs(txs as usize);
    let padding = w.rollup.padding(w.null_root_after(own));
    let (mut count, mut slots): (Num, Vec<Num>) = (Num::zero(), Vec::new());
    for at in 0..txs as usize {
        let tx = own.get(at).unwrap_or(&padding);
        let slot = rollup.slot(b, at, tx, at < own.len());
        count = &count + rollup.real.num();
        slots.extend(slot.fields);
        slots.push(slot.client);
    }
    let state_out = rollup.state(b, w.state.outputs.len());
    let mut fields = vec![
        rollup.rollup_id.num,
        rollup.old_data_root,
        rollup.data_roots_root,
        rollup.new_defi_root,
    ];
    fields.extend([rollup.lists.bridges, rollup.lists.assets].concat());
    fields.extend([state_in, state_out, count]);
    fields.extend(null_root_in);
    fields.extend(rollup.null_root);
    fields.extend(slots);
    b.part("public input", |b| publish(b, kind, fields));
}
