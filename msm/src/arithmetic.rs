//! Which instructions a sum uses.

use std::sync::atomic::{AtomicBool, Ordering};

use ark_bn254::{Fr, g1, g2};
use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};

#[cfg(target_arch = "x86_64")]
use crate::wide::{Ifma, Wide};
use crate::{narrow::Portable, ntt::quotient, scalars::Scalars, sum::sum};

/// The instructions that sums are computed with.
#[derive(Debug, Clone, Copy)]
pub struct Arithmetic(Instructions);

static ONLY_PORTABLE: AtomicBool = AtomicBool::new(false);

#[derive(Debug, Clone, Copy)]
enum Instructions {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Ifma(Ifma),
}

/// A curve that sums are computed on: `ark_bn254::g1::Config` and
/// `ark_bn254::g2::Config`.
pub trait Curve: SWCurveConfig<ScalarField = Fr> + sealed::Sum {}

impl Curve for g1::Config {}
impl Curve for g2::Config {}

impl Arithmetic {
    /// What every machine can do.
    pub const PORTABLE: Self = Self(Instructions::Portable);

    /// The fastest that this machine can do, unless this process
    /// [forgoes it](Self::only_portable).
    pub fn detect() -> Self {
        let wide = Self::wide().filter(|_| !ONLY_PORTABLE.load(Ordering::Relaxed));
        wide.unwrap_or(Self::PORTABLE)
    }

    /// From now on [`Arithmetic::detect`] finds what every machine has: for
    /// benchmarks and tests of that path.
    pub fn only_portable() {
        ONLY_PORTABLE.store(true, Ordering::Relaxed);
    }

    /// AVX-512 IFMA; `None` where the processor lacks it.
    pub fn wide() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        return Ifma::detect().map(|ifma| Self(Instructions::Ifma(ifma)));
        #[cfg(not(target_arch = "x86_64"))]
        None
    }

    /// `avx512ifma` or `portable`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Instructions::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Instructions::Ifma(_) => "avx512ifma",
        }
    }

    /// Computes Σ scalar · point. Fewer points than scalars pair with the last
    /// scalars; the first scalars are ignored.
    ///
    /// Points must lie on the curve, or the sum is wrong. Beside `points` and
    /// `scalars` a sum needs about 2 MB per thread, and its buckets: windows ×
    /// 2^(bits of a digit − 1) of 64 bytes in G1 and 128 in G2, 5 and 10 MB for
    /// 2^16 scalars, 34 and 67 MB for 2^20.
    ///
    /// # Panics
    /// If there are more points than scalars.
    pub fn sum<C: Curve>(self, points: &[Affine<C>], scalars: &Scalars) -> Projective<C> {
        let (needs, has) = (points.len(), scalars.len());
        assert!(needs <= has, "{needs} points have only {has} scalars");
        C::sum_with(self, points, scalars)
    }
}

impl Arithmetic {
    /// The coefficients of (A·B − C) / (X^n − 1), where A, B and C have the values
    /// `a`, `b` and a·b on the n-th roots of unity: the quotient of a QAP, whose
    /// rows are satisfied if C is what they say it is.
    ///
    /// `None` for less than 16 values, and where n is no power of two. It holds
    /// five times n elements of 32 bytes for a while, `a` and `b` included.
    pub fn quotient(self, a: Vec<Fr>, b: Vec<Fr>) -> Option<Vec<Fr>> {
        match self.0 {
            // Not before words are full.
            #[cfg(target_arch = "x86_64")]
            Instructions::Ifma(ifma) if a.len() >= 256 => quotient(ifma, a, b),
            _ => quotient(Portable, a, b),
        }
    }
}

mod sealed {
    use super::{Affine, Arithmetic, Projective, SWCurveConfig, Scalars};

    pub trait Sum: SWCurveConfig {
        fn sum_with(
            arithmetic: Arithmetic,
            points: &[Affine<Self>],
            scalars: &Scalars,
        ) -> Projective<Self>;
    }
}

macro_rules! sums {
    ($($curve:ty),*) => {$(
        impl sealed::Sum for $curve {
            fn sum_with(
                arithmetic: Arithmetic,
                points: &[Affine<Self>],
                scalars: &Scalars,
            ) -> Projective<Self> {
                match arithmetic.0 {
                    Instructions::Portable => sum(Portable, points, scalars),
                    #[cfg(target_arch = "x86_64")]
                    Instructions::Ifma(ifma) => sum(Wide(ifma), points, scalars),
                }
            }
        }
    )*};
}

sums!(g1::Config, g2::Config);
