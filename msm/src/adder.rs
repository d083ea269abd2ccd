//! What the sums are made of: batches of affine additions that do not depend on
//! one another.

use crate::{modulus::Limbs, stored::StoredCurve};

/// A point of a list of points, or its negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry(u32);

/// `slots[sum] = left + right`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PointPair {
    pub(crate) left: Entry,
    pub(crate) right: Entry,
    pub(crate) sum: u32,
}

/// `slots[left] += slots[right]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SlotPair {
    pub(crate) left: u32,
    pub(crate) right: u32,
}

/// Additions of affine points, many at once, with one inversion.
pub(crate) trait Adder: Copy + Send + Sync {
    /// Additions of a batch: so many that the inversion costs little, so few
    /// that what the first pass leaves stays in the second cache.
    const BATCH: usize;
    /// Buffers that a thread reuses from batch to batch.
    type Scratch<C: StoredCurve>: Default + Send;

    fn add<C: StoredCurve, A: Additions>(self, scratch: &mut Self::Scratch<C>, additions: A);
}

/// What a batch adds. Indices are below [`Additions::count`], which is not zero.
///
/// Equal and opposite points are added correctly. No point may be infinity, whose
/// limbs are all zero: callers leave such points out, or the sum is wrong.
pub(crate) trait Additions {
    /// Whether the points lie in no order in memory, so that reading them ahead pays.
    const SCATTERED: bool;

    fn count(&self) -> usize;
    /// A part of the left point: x's parts first, then y's.
    fn left(&self, index: usize, part: usize) -> &Limbs;
    fn right(&self, index: usize, part: usize) -> &Limbs;
    /// Whether y of the left and of the right point are to be negated.
    fn negative(&self, index: usize) -> [bool; 2];
    /// Where a part of the sum goes. No other index reads from there.
    fn sum(&mut self, index: usize, part: usize) -> &mut Limbs;
}

impl Entry {
    /// Points that a list may have.
    pub(crate) const LIMIT: usize = 1 << 31;

    /// `index` must be below [`Entry::LIMIT`].
    pub(crate) fn new(index: usize, negative: bool) -> Self {
        Self((index as u32) << 1 | u32::from(negative))
    }

    #[inline(always)]
    pub(crate) fn index(self) -> usize {
        (self.0 >> 1) as usize
    }

    #[inline(always)]
    pub(crate) fn is_negative(self) -> bool {
        self.0 & 1 == 1
    }

    /// The negative where `negate` says so.
    pub(crate) fn negate(self, negate: bool) -> Self {
        Self(self.0 ^ u32::from(negate))
    }

    /// The same point of the list without its first `points`.
    pub(crate) fn after(self, points: usize) -> Option<Self> {
        let index = self.index().checked_sub(points)?;
        Some(Self::new(index, self.is_negative()))
    }
}
