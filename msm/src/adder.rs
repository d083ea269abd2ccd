//! What the sums are made of: batches of affine additions that do not depend on
//! one another.

use ark_ec::short_weierstrass::{Affine, SWCurveConfig};

/// A point of a list of points, or its negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry(u32);

/// `slots[sum] = left + right`. Neither is infinity.
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

/// Additions of affine points, many at once. Every pair of points has its right
/// sum: equal ones, opposite ones, and infinity.
pub(crate) trait Adder<C: SWCurveConfig>: Copy + Send + Sync {
    /// A point between additions.
    type Slot: Copy + Send + Sync;
    /// Room that batches use one after the other.
    type Scratch: Default + Send;

    fn infinity() -> Self::Slot;
    fn is_infinity(slot: &Self::Slot) -> bool;
    fn slot(point: &Affine<C>) -> Self::Slot;
    fn point(slot: &Self::Slot) -> Affine<C>;

    /// No two `pairs` may have the same sum.
    fn add_points(
        self,
        scratch: &mut Self::Scratch,
        points: &[Affine<C>],
        pairs: &[PointPair],
        slots: &mut [Self::Slot],
    );

    /// No slot may be in two `pairs`.
    fn add_slots(self, scratch: &mut Self::Scratch, slots: &mut [Self::Slot], pairs: &[SlotPair]);
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
