//! Points in memory.

use std::fmt::Debug;

use ark_bn254::{Fq2 as ArkFq2, Fr, g1, g2};
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};

use crate::{
    modulus::{Base, Limbs, canonical},
    narrow::{self, Residue},
    wide::{self, Lanes},
};

/// A point between additions: its coordinates, as arkworks stores them but only
/// below 2·q; infinity is all zeros. A point of G1 fills a cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Slot<const PARTS: usize>([Limbs; PARTS]);

/// How a curve's points are stored, and what adds them.
pub(crate) trait StoredCurve: SWCurveConfig<ScalarField = Fr> {
    type Wide<L: Lanes>: wide::Coordinate<L>;
    type Narrow: narrow::Coordinate;
    type Slot: AsRef<[Limbs]> + AsMut<[Limbs]> + Copy + Debug + Send + Sync;

    fn infinity() -> Self::Slot;
    /// The parts of x, then those of y.
    fn part(point: &Affine<Self>, part: usize) -> &Limbs;
    fn point(slot: &Self::Slot) -> Affine<Self>;

    fn is_infinity(slot: &Self::Slot) -> bool {
        slot.as_ref().iter().flatten().all(|limb| *limb == 0)
    }

    fn slot(point: &Affine<Self>) -> Self::Slot {
        let mut slot = Self::infinity();
        for (part, limbs) in slot.as_mut().iter_mut().enumerate() {
            *limbs = *Self::part(point, part);
        }
        slot
    }
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

impl StoredCurve for g1::Config {
    type Wide<L: Lanes> = wide::Fq<L>;
    type Narrow = Residue<Base>;
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

impl StoredCurve for g2::Config {
    type Wide<L: Lanes> = wide::Fq2<L>;
    type Narrow = narrow::Complex;
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
