//! From the sums of buckets to few points, each to be taken a power of two
//! times.

use ark_ec::short_weierstrass::Affine;

use crate::{
    adder::Adder,
    fold::{Fold, Run},
    stored::StoredCurve,
};

/// The sums of some buckets of a window; the first and the last may be parts
/// of a bucket that goes on in the next task.
pub(crate) struct Part<S> {
    /// The bit that the window begins at.
    pub(crate) bit: usize,
    /// Which buckets, in order.
    pub(crate) numbers: Vec<u32>,
    pub(crate) sums: Vec<S>,
}

impl<S> Part<S> {
    /// Whether `next` can be of the same buckets, further on.
    pub(crate) fn continues(&self, next: &Self) -> bool {
        self.numbers.last() <= next.numbers.first()
    }
}

/// 2^bit · point.
pub(crate) struct Weighed<C: StoredCurve> {
    pub(crate) bit: usize,
    pub(crate) point: Affine<C>,
}

/// The buckets of a window: a power of two of slots.
struct Window {
    bit: usize,
    start: usize,
    len: usize,
}

/// What Σ 2^bit · Σ (number + 1) · bucket comes to, over all windows of `parts`.
///
/// With h halves of halves of a window's 2^k buckets V: adding the upper half to
/// the lower one leaves Σ number · V as Σ over the lower half, plus 2^(k−1) times
/// the sum of the upper half; so on with the lower half, down to one slot, which
/// then has the sum of all. Slots from 2^j on, 2^j of them, are what was the upper
/// half at 2^(j+1) buckets. That is two additions for each bucket, all of them in
/// batches.
pub(crate) fn weigh<C: StoredCurve, A: Adder>(
    adder: A,
    fold: &mut Fold<C, A>,
    parts: Vec<Part<C::Slot>>,
) -> Vec<Weighed<C>> {
    let (windows, mut slots) = windows(adder, fold, parts);
    let mut lower: Vec<Run> = windows
        .iter()
        .map(|&Window { start, len, .. }| Run { start, len })
        .collect();
    while !lower.is_empty() {
        fold.halve(adder, &mut slots, &lower);
        for run in &mut lower {
            run.len /= 2;
        }
        lower.retain(|run| run.len > 1);
    }
    let mut uppers = Vec::new();
    let mut bits = Vec::new();
    for window in &windows {
        bits.push((window.bit, window.start));
        for power in 0..window.len.ilog2() {
            let len = 1 << power;
            let start = window.start + len;
            uppers.push(Run { start, len });
            bits.push((window.bit + power as usize, start));
        }
    }
    fold.slots(adder, &mut slots, &uppers);
    let sums = bits.into_iter();
    sums.filter(|(_, slot)| !C::is_infinity(&slots[*slot]))
        .map(|(bit, slot)| Weighed {
            bit,
            point: C::point(&slots[slot]),
        })
        .collect()
}

/// The buckets of all windows, each at its number, with what several parts have
/// of one bucket added up.
fn windows<C: StoredCurve, A: Adder>(
    adder: A,
    fold: &mut Fold<C, A>,
    parts: Vec<Part<C::Slot>>,
) -> (Vec<Window>, Vec<C::Slot>) {
    let mut windows: Vec<Window> = Vec::new();
    // Where the window of each part begins, and where the next one will.
    let (mut starts, mut next) = (Vec::new(), 0);
    // Two lists in a row may have one bit: the lowest window and the ones.
    for list in parts.chunk_by(|part, next| part.bit == next.bit && part.continues(next)) {
        let numbers = list.iter().flat_map(|part| part.numbers.last());
        let len = numbers.max().map_or(1, |last| last + 1).next_power_of_two();
        let (bit, start, len) = (list[0].bit, next, len as usize);
        starts.resize(starts.len() + list.len(), start);
        windows.push(Window { bit, start, len });
        next += len;
    }
    let mut slots = vec![C::infinity(); next];
    // Further parts of buckets, and which slots they are of.
    let mut rest: Vec<(usize, C::Slot)> = Vec::new();
    for (part, start) in parts.into_iter().zip(starts) {
        for (number, sum) in part.numbers.into_iter().zip(part.sums) {
            let slot = start + number as usize;
            if C::is_infinity(&slots[slot]) {
                slots[slot] = sum;
            } else {
                rest.push((slot, sum));
            }
        }
    }
    // Each bucket's first part goes beside its other ones for a while.
    let mut sums = Vec::new();
    let mut runs = Vec::new();
    for same in rest.chunk_by(|(slot, _), (next, _)| slot == next) {
        let (start, len) = (sums.len(), same.len() + 1);
        runs.push(Run { start, len });
        sums.push(slots[same[0].0]);
        sums.extend(same.iter().map(|(_, sum)| *sum));
    }
    fold.slots(adder, &mut sums, &runs);
    let same = rest.chunk_by(|(slot, _), (next, _)| slot == next);
    for (same, run) in same.zip(&runs) {
        slots[same[0].0] = sums[run.start];
    }
    (windows, slots)
}
