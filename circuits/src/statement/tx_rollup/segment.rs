//! Some consecutive txs of a rollup, in rows.

use std::sync::Arc;

use ark_bn254::Fr;
use zkwhirl_job::Topic;

use super::slot::SharedRows;
use super::{MAX_TXS, RunningState, SegmentWitness, TxRollupWitness, TxSegment};
use crate::published::publish;
use crate::r1cs::{Builder, Num};
use crate::rule::Violation;
use crate::statement::Statement;
use crate::suite::Suite;

impl Statement for TxSegment {
    type Witness = SegmentWitness;
    type Published = ();

    const NAME: &'static str = "tx-segment";
    const TAG: u64 = 5;
    const TOPIC: Topic = Topic::Inner;

    fn is_possible(self) -> bool {
        (1..=MAX_TXS).contains(&self.of) && (1..=self.of).contains(&self.txs)
    }

    fn blank(self) -> SegmentWitness {
        SegmentWitness {
            rollup: Arc::new(TxRollupWitness::blank()),
            first: 0,
            state: RunningState::start(self.remembered()),
            null_root: Fr::default(),
        }
    }

    fn evaluate(self, _: Suite, _: &SegmentWitness) -> ((), Vec<Violation>) {
        Default::default()
    }

    /// The first slot is a tx: segments of padding alone change nothing and are
    /// not proved. Whether a rule is the whole rollup's or the segment's own makes
    /// no difference: the published states tie segments together.
    fn enforce(self, b: &mut Builder, suite: Suite, w: &SegmentWitness) {
        let mut rollup = SharedRows::open(b, suite, &w.rollup);
        let state_in = rollup.resume(b, &w.state);
        let inserts = suite.segments_insert_nullifiers();
        let null_root_in = inserts.then(|| b.alloc(w.null_root));
        rollup.null_root.clone_from(&null_root_in);
        let own = w.txs(self.txs as usize);
        let padding = w.rollup.padding(w.null_root_after(own));
        let (mut count, mut slots): (Num, Vec<Num>) = (Num::zero(), Vec::new());
        for at in 0..self.txs as usize {
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
        publish::<TxSegment>(b, fields);
    }
}
