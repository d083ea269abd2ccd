//! [`Adder`] in lanes: points in memory, and which of them a batch adds.

use std::marker::PhantomData;

use ark_bn254::{Fq2 as ArkFq2, g1, g2};
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};

use super::{
    coordinate::Coordinate,
    fq::{Fq, canonical},
    fq2::Fq2,
    lanes::{Kernel, Lanes, Limbs},
    point::{Additions, Step, add_all},
};
use crate::adder::{Adder, Entry, PointPair, SlotPair};

/// Additions whose divisors share an inversion: so many that the inversion costs
/// little, so few that what the first pass leaves stays in the second cache.
const BATCH: usize = 4096;

/// Additions in the lanes of `L`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wide<L>(pub(crate) L);

/// A point's coordinates, as arkworks stores them but only below 1.07·q;
/// infinity is all zeros. A point of G1 fills a cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Slot<const PARTS: usize>([Limbs; PARTS]);

/// How a curve's points are stored.
pub(crate) trait WideCurve: SWCurveConfig {
    type Coordinate<L: Lanes>: Coordinate<L>;
    type Slot: AsRef<[Limbs]> + AsMut<[Limbs]> + Copy + Send + Sync;

    fn infinity() -> Self::Slot;
    /// The parts of x, then those of y.
    fn part(point: &Affine<Self>, part: usize) -> &Limbs;
    fn point(slot: &Self::Slot) -> Affine<Self>;
}

impl<const PARTS: usize> AsRef<[Limbs]> for Slot<PARTS> {
    #[inline(always)]
    fn as_ref(&self) -> &[Limbs] {
        &self.0
    }
}

impl<const PARTS: usize> AsMut<[Limbs]> for Slot<PARTS> {
    #[inline(always)]
    fn as_mut(&mut self) -> &mut [Limbs] {
        &mut self.0
    }
}

impl WideCurve for g1::Config {
    type Coordinate<L: Lanes> = Fq<L>;
    type Slot = Slot<2>;

    fn infinity() -> Slot<2> {
        Slot([[0; 4]; 2])
    }

    #[inline(always)]
    fn part(point: &Affine<Self>, part: usize) -> &Limbs {
        match part {
            0 => &point.x.0.0,
            _ => &point.y.0.0,
        }
    }

    fn point(slot: &Slot<2>) -> Affine<Self> {
        let [x, y] = slot.0.map(|part| canonical(&part));
        Affine::new_unchecked(x, y)
    }
}

impl WideCurve for g2::Config {
    type Coordinate<L: Lanes> = Fq2<L>;
    type Slot = Slot<4>;

    fn infinity() -> Slot<4> {
        Slot([[0; 4]; 4])
    }

    #[inline(always)]
    fn part(point: &Affine<Self>, part: usize) -> &Limbs {
        match part {
            0 => &point.x.c0.0.0,
            1 => &point.x.c1.0.0,
            2 => &point.y.c0.0.0,
            _ => &point.y.c1.0.0,
        }
    }

    fn point(slot: &Slot<4>) -> Affine<Self> {
        let [a, b, c, d] = slot.0.map(|part| canonical(&part));
        Affine::new_unchecked(ArkFq2::new(a, b), ArkFq2::new(c, d))
    }
}

impl<L: Lanes, C: WideCurve> Adder<C> for Wide<L> {
    type Slot = C::Slot;
    type Scratch = Steps<L, C>;

    fn infinity() -> C::Slot {
        C::infinity()
    }

    fn is_infinity(slot: &C::Slot) -> bool {
        slot.as_ref().iter().flatten().all(|limb| *limb == 0)
    }

    fn slot(point: &Affine<C>) -> C::Slot {
        let mut slot = C::infinity();
        for (part, limbs) in slot.as_mut().iter_mut().enumerate() {
            *limbs = *C::part(point, part);
        }
        slot
    }

    fn point(slot: &C::Slot) -> Affine<C> {
        C::point(slot)
    }

    fn add_points(
        self,
        scratch: &mut Steps<L, C>,
        points: &[Affine<C>],
        pairs: &[PointPair],
        slots: &mut [C::Slot],
    ) {
        for pairs in pairs.chunks(BATCH) {
            let additions = OfPoints {
                points,
                pairs,
                slots,
            };
            self.0.run(Batch { additions, scratch });
        }
    }

    fn add_slots(self, scratch: &mut Steps<L, C>, slots: &mut [C::Slot], pairs: &[SlotPair]) {
        for pairs in pairs.chunks(BATCH) {
            let additions = OfSlots::<C> { slots, pairs };
            self.0.run(Batch { additions, scratch });
        }
    }
}

/// Room for a batch.
#[derive(Clone)]
pub(crate) struct Steps<L: Lanes, C: WideCurve>(
    Vec<Step<L, C::Coordinate<L>>>,
    PhantomData<fn() -> C>,
);

impl<L: Lanes, C: WideCurve> Default for Steps<L, C> {
    fn default() -> Self {
        Self(Vec::new(), PhantomData)
    }
}

struct Batch<'a, L: Lanes, C: WideCurve, A> {
    additions: A,
    scratch: &'a mut Steps<L, C>,
}

impl<L: Lanes, C: WideCurve, A: Additions> Kernel<L> for Batch<'_, L, C, A> {
    #[inline(always)]
    fn run(mut self, lanes: L) {
        add_all(lanes, &mut self.additions, &mut self.scratch.0);
    }
}

struct OfPoints<'a, C: WideCurve> {
    points: &'a [Affine<C>],
    pairs: &'a [PointPair],
    slots: &'a mut [C::Slot],
}

impl<C: WideCurve> OfPoints<'_, C> {
    #[inline(always)]
    fn part(&self, entry: Entry, part: usize) -> &Limbs {
        C::part(&self.points[entry.index()], part)
    }
}

impl<C: WideCurve> Additions for OfPoints<'_, C> {
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

struct OfSlots<'a, C: WideCurve> {
    slots: &'a mut [C::Slot],
    pairs: &'a [SlotPair],
}

impl<C: WideCurve> Additions for OfSlots<'_, C> {
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
