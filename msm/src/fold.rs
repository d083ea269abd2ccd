//! Sums of runs of points: halves are added to halves, all runs at once, until
//! one point is left of each.

use ark_ec::short_weierstrass::Affine;

use crate::{
    adder::{Adder, Entry, PointPair, SlotPair},
    slots::{OfPoints, OfSlots},
    stored::StoredCurve,
};

/// Points in a row that are to become one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) start: usize,
    /// Not zero.
    pub(crate) len: usize,
}

/// Room for folding, used again by the next fold.
pub(crate) struct Fold<C: StoredCurve, A: Adder> {
    slots: Vec<C::Slot>,
    point_pairs: Vec<PointPair>,
    slot_pairs: Vec<SlotPair>,
    scratch: A::Scratch<C>,
}

impl<C: StoredCurve, A: Adder> Default for Fold<C, A> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            point_pairs: Vec::new(),
            slot_pairs: Vec::new(),
            scratch: A::Scratch::<C>::default(),
        }
    }
}

impl<C: StoredCurve, A: Adder> Fold<C, A> {
    /// The sum of each run of `entries`, which are points other than infinity.
    pub(crate) fn points(
        &mut self,
        adder: A,
        points: &[Affine<C>],
        entries: &[Entry],
        mut runs: Vec<Run>,
    ) -> Vec<C::Slot> {
        let total = runs.iter().map(|run| run.len.div_ceil(2)).sum();
        if self.slots.len() < total {
            self.slots.resize(total, C::infinity());
        }
        self.point_pairs.clear();
        let mut first = 0;
        for run in &mut runs {
            let (pairs, len) = (run.len / 2, run.len.div_ceil(2));
            let entries = &entries[run.start..][..run.len];
            let (lower, upper) = entries.split_at(len);
            let pair = |((left, right), sum): ((&Entry, &Entry), u32)| PointPair {
                left: *left,
                right: *right,
                sum,
            };
            let both = lower.iter().zip(upper).zip(first as u32..);
            self.point_pairs.extend(both.map(pair));
            if pairs < len {
                let point = points[lower[pairs].index()];
                let negative = lower[pairs].is_negative();
                self.slots[first + pairs] = C::slot(&if negative { -point } else { point });
            }
            *run = Run { start: first, len };
            first += len;
        }
        let mut slots = std::mem::take(&mut self.slots);
        for pairs in self.point_pairs.chunks(A::BATCH) {
            let slots = &mut slots[..];
            let additions = OfPoints {
                points,
                pairs,
                slots,
            };
            adder.add(&mut self.scratch, additions);
        }
        self.slots(adder, &mut slots, &runs);
        let sums = runs.iter().map(|run| slots[run.start]).collect();
        self.slots = slots;
        sums
    }

    /// Leaves the sum of each run in its first slot.
    pub(crate) fn slots(&mut self, adder: A, slots: &mut [C::Slot], runs: &[Run]) {
        let mut runs: Vec<Run> = runs.iter().filter(|run| run.len > 1).copied().collect();
        while !runs.is_empty() {
            self.halve(adder, slots, &runs);
            for run in &mut runs {
                run.len = run.len.div_ceil(2);
            }
            runs.retain(|run| run.len > 1);
        }
    }

    /// Adds the upper half of each run to its lower half, and leaves the upper
    /// half as it is. Of an odd run, the middle is added to nothing.
    pub(crate) fn halve(&mut self, adder: A, slots: &mut [C::Slot], runs: &[Run]) {
        self.slot_pairs.clear();
        for run in runs {
            let upper = run.start + run.len.div_ceil(2);
            for pair in 0..run.len / 2 {
                let (left, right) = (run.start + pair, upper + pair);
                if C::is_infinity(&slots[right]) {
                    continue;
                }
                if C::is_infinity(&slots[left]) {
                    slots[left] = slots[right];
                    continue;
                }
                self.slot_pairs.push(SlotPair {
                    left: left as u32,
                    right: right as u32,
                });
            }
        }
        for pairs in self.slot_pairs.chunks(A::BATCH) {
            let additions = OfSlots::<C> { slots, pairs };
            adder.add(&mut self.scratch, additions);
        }
    }
}
