//! From the sums of buckets to few points, each to be taken a power of two
//! times.

use ark_ec::short_weierstrass::{Affine, SWCurveConfig};

use crate::{
    adder::Adder,
    fold::{Fold, Run},
    sum::Part,
};

/// 2^bit · point.
pub(crate) struct Weighed<C: SWCurveConfig> {
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
pub(crate) fn weigh<C: SWCurveConfig, A: Adder<C>>(
    adder: A,
    fold: &mut Fold<C, A>,
    parts: &[Part<A::Slot>],
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
    sums.filter(|(_, slot)| !A::is_infinity(&slots[*slot]))
        .map(|(bit, slot)| Weighed {
            bit,
            point: A::point(&slots[slot]),
        })
        .collect()
}

/// The buckets of all windows, each at its number, with what several parts have
/// of one bucket added up.
fn windows<C: SWCurveConfig, A: Adder<C>>(
    adder: A,
    fold: &mut Fold<C, A>,
    parts: &[Part<A::Slot>],
) -> (Vec<Window>, Vec<A::Slot>) {
    let mut sums: Vec<A::Slot> = Vec::new();
    let mut runs: Vec<Run> = Vec::new();
    let mut places: Vec<(usize, u32)> = Vec::new();
    for part in parts {
        for (number, sum) in &part.sums {
            let place = (part.bit, *number);
            match runs.last_mut() {
                Some(run) if places.last() == Some(&place) => run.len += 1,
                _ => {
                    let (start, len) = (sums.len(), 1);
                    runs.push(Run { start, len });
                    places.push(place);
                }
            }
            sums.push(*sum);
        }
    }
    fold.slots(adder, &mut sums, &runs);
    let mut windows: Vec<Window> = Vec::new();
    let mut slots = Vec::new();
    let buckets = places.chunk_by(|(bit, number), (next, after)| bit == next && number < after);
    let mut runs = runs.iter();
    for window in buckets {
        let (start, bit) = (slots.len(), window[0].0);
        let last = window.last().map_or(0, |(_, number)| *number as usize);
        let len = (last + 1).next_power_of_two();
        slots.resize(start + len, A::infinity());
        for ((_, number), run) in window.iter().zip(runs.by_ref()) {
            slots[start + *number as usize] = sums[run.start];
        }
        windows.push(Window { bit, start, len });
    }
    (windows, slots)
}
