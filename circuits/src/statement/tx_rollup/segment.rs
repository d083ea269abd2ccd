//! Consecutive txs of a rollup as rows (constraints).

use std::sync::Arc;

use ark_bn254::Fr;
use zkwhirl_job::Topic;

use super::slot::SharedRows;
use super::{MAX_TXS, RunningState, TxRollupWitness, TxWitness};
use crate::published::publish;
use crate::r1cs::{Builder, Num};
use crate::statement::Statement;
use crate::suite::Suite;

/// A segment of up to `txs` txs of an inner rollup of up to `of` txs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TxSegment {
    pub(crate) txs: u32,
    pub(crate) of: u32,
}

/// The values of a segment: consecutive txs of an inner rollup.
#[derive(Clone, Debug, Default)]
pub struct SegmentWitness {
    /// The values of the whole rollup.
    pub rollup: Arc<TxRollupWitness>,
    /// Index of the segment's first tx in the rollup.
    pub first: usize,
    /// The state after the previous txs.
    pub state: RunningState,
    /// The nullifier root before the segment.
    pub null_root: Fr,
}

impl Statement for TxSegment {
    type Witness = SegmentWitness;

    const NAME: &'static str = "tx-segment";
    const TAG: u64 = 5;
    const TOPIC: Topic = Topic::Inner;

    fn is_possible(self) -> bool {
        (1..=MAX_TXS).contains(&self.of) && (1..=self.of).contains(&self.txs)
    }

    fn blank(self) -> SegmentWitness {
        SegmentWitness {
            state: RunningState::start(self.remembered()),
            ..SegmentWitness::default()
        }
    }

    /// Enforces the segment's rules. The first slot must be a tx: segments of
    /// padding change nothing and are not proved. A rule of the whole rollup may be
    /// enforced in any segment, since the published states connect the segments.
    fn enforce(self, b: &mut Builder, suite: Suite, w: &SegmentWitness) {
        let mut rollup = SharedRows::open(b, suite, &w.rollup);
        let state_in = rollup.resume(b, &w.state);
        let inserts = suite.segments_insert_nullifiers();
        let null_root_in = inserts.then(|| b.alloc(w.null_root));
        rollup.null_root.clone_from(&null_root_in);
        let rest = w.rollup.txs.get(w.first..).unwrap_or_default();
        let own = &rest[..rest.len().min(self.txs as usize)];
        let last = own.last().map(|tx| tx.nullifiers[1].new_root);
        let padding = TxWitness::padding(last.unwrap_or(w.null_root));
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
        fields.extend([rollup.lists.bridges.known, rollup.lists.assets.known].concat());
        fields.extend([state_in, state_out, count]);
        fields.extend(null_root_in);
        fields.extend(rollup.null_root);
        fields.extend(slots);
        publish::<TxSegment>(b, fields);
    }
}

impl TxSegment {
    /// Returns the number of slots in a state's list of outputs: the slots of all segments.
    pub(crate) fn remembered(self) -> usize {
        (self.of.div_ceil(self.txs) * self.txs) as usize
    }
}
