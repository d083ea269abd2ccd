//! What batches add: points of a list, or points between additions.

use ark_ec::short_weierstrass::Affine;

use crate::{
    adder::{Additions, Entry, PointPair, SlotPair},
    modulus::Limbs,
    stored::StoredCurve,
};

pub(crate) struct OfPoints<'a, C: StoredCurve> {
    pub(crate) points: &'a [Affine<C>],
    pub(crate) pairs: &'a [PointPair],
    pub(crate) slots: &'a mut [C::Slot],
}

impl<C: StoredCurve> OfPoints<'_, C> {
    #[inline(always)]
    fn part(&self, entry: Entry, part: usize) -> &Limbs {
        C::part(&self.points[entry.index()], part)
    }
}

impl<C: StoredCurve> Additions for OfPoints<'_, C> {
    const SCATTERED: bool = true;

    #[inline(always)]
    fn count(&self) -> usize {
        self.pairs.len()
    }

    #[inline(always)]
    fn left(&self, index: usize, part: usize) -> &Limbs {
        self.part(self.pairs[index].left, part)
    }

    #[inline(always)]
    fn right(&self, index: usize, part: usize) -> &Limbs {
        self.part(self.pairs[index].right, part)
    }

    #[inline(always)]
    fn negative(&self, index: usize) -> [bool; 2] {
        let pair = &self.pairs[index];
        [pair.left.is_negative(), pair.right.is_negative()]
    }

    #[inline(always)]
    fn sum(&mut self, index: usize, part: usize) -> &mut Limbs {
        &mut self.slots[self.pairs[index].sum as usize].as_mut()[part]
    }
}

pub(crate) struct OfSlots<'a, C: StoredCurve> {
    pub(crate) slots: &'a mut [C::Slot],
    pub(crate) pairs: &'a [SlotPair],
}

impl<C: StoredCurve> Additions for OfSlots<'_, C> {
    const SCATTERED: bool = false;

    #[inline(always)]
    fn count(&self) -> usize {
        self.pairs.len()
    }

    #[inline(always)]
    fn left(&self, index: usize, part: usize) -> &Limbs {
        &self.slots[self.pairs[index].left as usize].as_ref()[part]
    }

    #[inline(always)]
    fn right(&self, index: usize, part: usize) -> &Limbs {
        &self.slots[self.pairs[index].right as usize].as_ref()[part]
    }

    #[inline(always)]
    fn negative(&self, _: usize) -> [bool; 2] {
        [false; 2]
    }

    #[inline(always)]
    fn sum(&mut self, index: usize, part: usize) -> &mut Limbs {
        &mut self.slots[self.pairs[index].left as usize].as_mut()[part]
    }
}
