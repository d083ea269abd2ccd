//! What the points of a key are multiplied with, prepared once for all sums.

use ark_bn254::Fr;
use ark_ec::short_weierstrass::{Affine, Projective};
use taceo_ark_algebra::msm::msm_unchecked;
use zkwhirl_msm::{Arithmetic, Curve, Scalars};

/// Scalars of sums. With vector instructions the sums are ours; without, those
/// of `taceo-ark-algebra`, which are faster there.
#[derive(Debug)]
pub(super) enum Factors<'a> {
    Prepared(Arithmetic, Scalars),
    Plain(&'a [Fr]),
}

impl<'a> Factors<'a> {
    pub(super) fn new(values: &'a [Fr]) -> Self {
        match Arithmetic::wide() {
            Some(arithmetic) => Self::Prepared(arithmetic, Scalars::new(values)),
            None => Self::Plain(values),
        }
    }

    /// Σ factor · point. Fewer points than factors belong to the last ones.
    pub(super) fn sum<C: Curve>(&self, points: &[Affine<C>]) -> Projective<C> {
        match self {
            Self::Prepared(arithmetic, scalars) => arithmetic.sum(points, scalars),
            Self::Plain(values) => {
                let without = values.len().saturating_sub(points.len());
                msm_unchecked(points, &values[without..])
            }
        }
    }
}
