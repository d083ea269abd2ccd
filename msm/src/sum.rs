//! Σ scalar · point: tasks over the buckets of all windows, then one number of
//! points for each bit, then their sum.

use std::{ops::Range, sync::Mutex};

use ark_ec::{
    AdditiveGroup, AffineRepr,
    short_weierstrass::{Affine, Projective},
};
use ark_ff::Zero;
use rayon::prelude::*;

use crate::{
    adder::{Adder, Entry},
    fold::{Fold, Run},
    scalars::{Buckets, Scalars},
    stored::StoredCurve,
    weigh::{Part, Weighed, weigh},
};

/// Entries of a task: half as many slots of a point each stay in the second
/// cache.
const TASK: usize = 1 << 14;

/// The points of a sum, which belong to the last of the scalars.
struct Points<'a, C: StoredCurve> {
    points: &'a [Affine<C>],
    /// Scalars before the first point.
    before: usize,
    /// A bit for each point that is not infinity; `None` when none is.
    present: Option<Vec<u64>>,
}

/// Σ of the last `points.len()` scalars times the points.
pub(crate) fn sum<C: StoredCurve, A: Adder>(
    adder: A,
    points: &[Affine<C>],
    scalars: &Scalars,
) -> Projective<C> {
    let before = scalars.len().checked_sub(points.len());
    let before = before.expect("no more points than scalars, says the caller");
    let points = Points::new(points, before);
    let tasks: Vec<(usize, &Buckets, Range<usize>)> = scalars
        .parts()
        .flat_map(|(bit, buckets)| {
            let all = buckets.entries.len();
            let starts = (0..all).step_by(TASK);
            starts.map(move |start| (bit, buckets, start..all.min(start + TASK)))
        })
        .collect();
    let pool = Pool::default();
    let parts: Vec<Part<C::Slot>> = tasks
        .into_par_iter()
        .with_max_len(1)
        .map(|(bit, buckets, range)| {
            let mut fold = pool.take();
            let (numbers, sums) = bucket_sums(adder, &mut fold, &points, buckets, range);
            pool.give(fold);
            Part { bit, numbers, sums }
        })
        .collect();
    let groups = groups(parts, scalars.width());
    let weighed: Vec<Vec<Weighed<C>>> = groups
        .into_par_iter()
        .with_max_len(1)
        .map(|parts| {
            let mut fold = pool.take();
            let weighed = weigh(adder, &mut fold, parts);
            pool.give(fold);
            weighed
        })
        .collect();
    horner(weighed.into_iter().flatten().collect())
}

/// The sums of the buckets in a range of entries.
fn bucket_sums<C: StoredCurve, A: Adder>(
    adder: A,
    fold: &mut Fold<C, A>,
    points: &Points<'_, C>,
    buckets: &Buckets,
    range: Range<usize>,
) -> (Vec<u32>, Vec<C::Slot>) {
    let mut entries = Vec::with_capacity(range.len());
    let mut runs = Vec::new();
    let mut numbers = Vec::new();
    let mut bucket = buckets
        .ends
        .partition_point(|end| *end as usize <= range.start);
    let mut start = range.start;
    while start < range.end {
        let end = range.end.min(buckets.ends[bucket] as usize);
        let first = entries.len();
        points.extend(&mut entries, &buckets.entries[start..end]);
        if entries.len() > first {
            runs.push(Run {
                start: first,
                len: entries.len() - first,
            });
            numbers.push(bucket as u32);
        }
        start = end;
        bucket += 1;
    }
    let sums = fold.points(adder, points.points, &entries, runs);
    (numbers, sums)
}

/// Whole windows for each thread.
fn groups<S>(parts: Vec<Part<S>>, width: usize) -> Vec<Vec<Part<S>>> {
    let windows = parts.iter().map(|part| part.bit / width).max();
    let windows = windows.map_or(0, |last| last + 1);
    let each = windows.div_ceil(rayon::current_num_threads()).max(1);
    let mut groups: Vec<Vec<Part<S>>> = Vec::new();
    groups.resize_with(windows.div_ceil(each), Vec::new);
    for part in parts {
        groups[part.bit / width / each].push(part);
    }
    groups
}

/// Σ 2^bit · point.
fn horner<C: StoredCurve>(mut weighed: Vec<Weighed<C>>) -> Projective<C> {
    weighed.sort_by_key(|weighed| std::cmp::Reverse(weighed.bit));
    let mut sum = Projective::zero();
    let mut at = weighed.first().map_or(0, |weighed| weighed.bit);
    for Weighed { bit, point } in weighed {
        for _ in bit..at {
            sum.double_in_place();
        }
        at = bit;
        sum += point;
    }
    for _ in 0..at {
        sum.double_in_place();
    }
    sum
}

impl<'a, C: StoredCurve> Points<'a, C> {
    fn new(points: &'a [Affine<C>], before: usize) -> Self {
        let bits = |points: &[Affine<C>]| {
            let bit = |(place, point): (usize, &Affine<C>)| u64::from(!point.is_zero()) << place;
            points.iter().enumerate().map(bit).sum()
        };
        let present: Vec<u64> = points.par_chunks(64).with_min_len(64).map(bits).collect();
        let all = present
            .iter()
            .map(|bits| bits.count_ones() as usize)
            .sum::<usize>();
        Self {
            points,
            before,
            present: (all < points.len()).then_some(present),
        }
    }

    /// Adds those of `entries` to `all` whose points are here and not infinity.
    fn extend(&self, all: &mut Vec<Entry>, entries: &[Entry]) {
        let here = entries.iter().filter_map(|entry| entry.after(self.before));
        match &self.present {
            None if self.before == 0 => all.extend_from_slice(entries),
            None => all.extend(here),
            Some(present) => all.extend(here.filter(|entry| {
                let index = entry.index();
                present[index / 64] >> (index % 64) & 1 == 1
            })),
        }
    }
}

/// Room for tasks: as much as there are threads at work.
struct Pool<T>(Mutex<Vec<T>>);

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

impl<T: Default> Pool<T> {
    fn take(&self) -> T {
        self.0
            .lock()
            .ok()
            .and_then(|mut pool| pool.pop())
            .unwrap_or_default()
    }

    fn give(&self, room: T) {
        if let Ok(mut pool) = self.0.lock() {
            pool.push(room);
        }
    }
}
