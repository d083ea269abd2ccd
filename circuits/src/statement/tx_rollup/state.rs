//! The state that a segment of a rollup leaves to the next.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;

use super::links::Outputs;
use super::lists::MatchedLists;
use super::slot::SharedRows;
use crate::published::{ASSETS, BRIDGES, RUNNING_STATE_TAG, chain_rows, hash_chain, start};
use crate::r1cs::{Builder, Num};

/// The sums and outputs of all slots so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunningState {
    /// Deposits by bridge.
    pub sums: [Fr; BRIDGES],
    /// Fees by asset.
    pub fees: [Fr; ASSETS],
    /// Per slot, newest first: commitments 1 and 2, completed, and which of
    /// them may be chained from. Zeros where there was no slot yet.
    pub outputs: Vec<[Fr; 3]>,
}

impl RunningState {
    /// Before the first of so many slots.
    pub(crate) fn start(slots: usize) -> Self {
        Self {
            sums: [Fr::ZERO; BRIDGES],
            fees: [Fr::ZERO; ASSETS],
            outputs: vec![[Fr::ZERO; 3]; slots],
        }
    }

    /// The hash of the state, which the segments before and after it publish.
    pub(crate) fn digest(&self) -> Fr {
        let mut fields = [&self.sums[..], &self.fees].concat();
        fields.extend(self.outputs.iter().flatten());
        hash_chain(RUNNING_STATE_TAG, &fields)
    }
}

impl SharedRows {
    /// Continues from a state; returns its digest.
    pub(super) fn resume(&mut self, b: &mut Builder, state: &RunningState) -> Num {
        let mut alloc =
            |values: &[Fr]| -> Vec<Num> { values.iter().map(|value| b.alloc(*value)).collect() };
        self.lists.bridges.sums = alloc(&state.sums);
        self.lists.assets.sums = alloc(&state.fees);
        let outputs: Vec<Vec<Num>> = state.outputs.iter().map(|slot| alloc(slot)).collect();
        b.part("chaining", |b| {
            self.earlier = outputs
                .iter()
                .rev()
                .map(|slot| Outputs::new(b, [slot[0].clone(), slot[1].clone()], &slot[2]))
                .collect();
        });
        self.state(b, outputs.len())
    }

    /// The digest of the state after the slots so far, of which the newest
    /// `slots` are kept.
    pub(super) fn state(&self, b: &mut Builder, slots: usize) -> Num {
        let MatchedLists { bridges, assets } = &self.lists;
        let mut fields = [&bridges.sums[..], &assets.sums].concat();
        let newest = self.earlier.iter().rev().take(slots);
        fields.extend(newest.flat_map(Outputs::triple));
        let start = Num::constant(start(RUNNING_STATE_TAG, fields.len()));
        b.part("running state", |b| chain_rows(b, start, &fields))
    }
}
