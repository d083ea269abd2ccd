//! The same checks for the emulated lanes, on any machine, and for the vector's.

use ark_bn254::{Fq as ArkFq, Fq2 as ArkFq2, Fr, g1, g2};
use ark_ec::{
    AffineRepr, CurveGroup, VariableBaseMSM,
    short_weierstrass::{Affine, Projective},
};
use ark_ff::{BigInt, Field, MontFp, PrimeField, UniformRand};

use super::{
    adder::Wide,
    coordinate::{Coordinate, Rows},
    emulated::Emulated,
    fq::Fq,
    fq2::Fq2,
    lanes::{LANES, Lanes},
};
use crate::{
    kernel::{Kernel, Machine},
    modulus::{Limbs, canonical},
    scalars::Scalars,
    stored::StoredCurve,
    sum::sum,
};

/// 2^256 / 2^260: what a product of stored numbers is short of.
const SIXTEENTH: ArkFq =
    MontFp!("12312136615409592312513603231707217237391675025980025810262583815737939742328");

/// Checks with the lanes of whatever machine this is, and without.
fn on_all(check: impl Check) {
    check.check(Emulated);
    #[cfg(target_arch = "x86_64")]
    match super::Ifma::detect() {
        Some(ifma) => ifma.run(Checking(check)),
        None => println!("skipped: this processor has no AVX-512 IFMA"),
    }
}

trait Check: Copy {
    fn check<L: Lanes>(self, lanes: L);
}

struct Checking<C>(C);

impl<L: Lanes, C: Check> Kernel<L> for Checking<C> {
    #[inline(always)]
    fn run(self, lanes: L) {
        self.0.check(lanes);
    }
}

/// Elements and their limbs: random ones, small ones, large ones, unreduced
/// ones.
fn numbers(seed: u64) -> [(ArkFq, Limbs); LANES] {
    let rng = &mut ark_std::test_rng();
    let _: Vec<ArkFq> = (0..seed).map(|_| ArkFq::rand(rng)).collect();
    std::array::from_fn(|lane| {
        let mut limbs = match lane {
            0 => [seed, 0, 0, 0],
            1 => (-ArkFq::ONE).0.0,
            2 => {
                let mut below = ArkFq::MODULUS;
                ark_ff::BigInteger::sub_with_borrow(&mut below, &BigInt::new([1 + seed, 0, 0, 0]));
                below.0
            }
            _ => ArkFq::rand(rng).0.0,
        };
        if lane == 3 {
            // A little above q, as sums are stored.
            let mut above = ArkFq::MODULUS;
            ark_ff::BigInteger::add_with_carry(&mut above, &BigInt::new([seed, 7, 0, 0]));
            limbs = above.0;
        }
        (canonical(&limbs), limbs)
    })
}

fn load<L: Lanes>(lanes: L, numbers: &[(ArkFq, Limbs); LANES]) -> Fq<L> {
    Fq::load(lanes, numbers.each_ref().map(|(_, limbs)| limbs))
}

#[track_caller]
fn same<L: Lanes>(lanes: L, is: Fq<L>, must: impl Fn(usize) -> ArkFq) {
    let is = is.store(lanes);
    for lane in 0..LANES {
        assert_eq!(canonical(&is[lane]), must(lane), "lane {lane}");
    }
}

#[derive(Clone, Copy)]
struct Arithmetic;

impl Check for Arithmetic {
    fn check<L: Lanes>(self, lanes: L) {
        for seed in 0..20 {
            let (a, b) = (numbers(seed), numbers(seed + 50));
            let (x, y) = (load(lanes, &a), load(lanes, &b));
            same(lanes, x, |lane| a[lane].0);
            let product = |lane: usize| a[lane].0 * b[lane].0 * SIXTEENTH;
            same(lanes, x.multiply(lanes, y), product);
            let square = x.square(lanes).clean(lanes);
            same(lanes, square, |lane| a[lane].0.square() * SIXTEENTH);
            let sum = x.add(lanes, y).reduce(lanes);
            same(lanes, sum, |lane| a[lane].0 + b[lane].0);
            let difference = x.sub(lanes, y.double::<1>(lanes)).reduce(lanes);
            same(lanes, difference, |lane| a[lane].0 - b[lane].0 - b[lane].0);
            let negative = x.negate(lanes, 0x5555).reduce(lanes);
            let sign = |lane: usize| {
                if lane.is_multiple_of(2) {
                    -a[lane].0
                } else {
                    a[lane].0
                }
            };
            same(lanes, negative, sign);
            let inverse = x.quarter_inverse(lanes).multiply(lanes, y);
            // A quarter of the ratio, in numbers that stand for a sixteenth.
            let ratio = |lane: usize| match a[lane].0.inverse() {
                Some(inverse) => ArkFq::from(4) * b[lane].0 * inverse,
                None => ArkFq::from(0),
            };
            same(lanes, inverse, ratio);
            let zero = x.sub(lanes, x).lift::<3>(lanes).clean(lanes);
            assert_eq!(zero.is_zero(lanes), !0);
            assert_eq!(zero.maybe_zero(lanes), !0);
            let lifted = x.lift::<2>(lanes).clean(lanes);
            let zeros = (0..LANES).filter(|lane| a[*lane].0 == ArkFq::from(0));
            assert_eq!(
                lifted.is_zero(lanes),
                zeros.fold(0, |mask, lane| mask | 1 << lane)
            );
        }
    }
}

#[test]
fn elements_of_fq_are_arkworks() {
    on_all(Arithmetic);
}

struct Parts<'a>(&'a [[(ArkFq, Limbs); LANES]]);

impl<'a> Rows<'a> for Parts<'a> {
    fn part(&self, part: usize) -> [&'a Limbs; LANES] {
        self.0[part].each_ref().map(|(_, limbs)| limbs)
    }
}

#[derive(Clone, Copy)]
struct Extension;

impl Check for Extension {
    fn check<L: Lanes>(self, lanes: L) {
        for seed in 0..10 {
            let parts = [
                numbers(seed),
                numbers(seed + 30),
                numbers(seed + 60),
                numbers(seed + 90),
            ];
            let value = |first: usize, lane: usize| {
                ArkFq2::new(parts[first][lane].0, parts[first + 1][lane].0)
            };
            let load = |first: usize| Fq2::load(lanes, Parts(&parts[first..]));
            let same = |is: Fq2<L>, must: &dyn Fn(usize) -> ArkFq2| {
                is.store(lanes, |part, limbs| {
                    for lane in 0..LANES {
                        let must = must(lane);
                        let must = [must.c0, must.c1][part];
                        assert_eq!(canonical(&limbs[lane]), must, "lane {lane}");
                    }
                });
            };
            let sixteenth = ArkFq2::new(SIXTEENTH, ArkFq::from(0));
            let (x, y): (Fq2<L>, Fq2<L>) = (load(0), load(2));
            let product = x.multiply(lanes, y).clean(lanes);
            same(product, &|lane| value(0, lane) * value(2, lane) * sixteenth);
            let square = x.square(lanes).clean(lanes);
            same(square, &|lane| value(0, lane).square() * sixteenth);
            let divisor = x.divisor(lanes);
            let norm = Fq2::norm(divisor).quarter_inverse(lanes);
            let inverse = Fq2::inverse(lanes, divisor, norm);
            let ratio = y.multiply(lanes, inverse).clean(lanes);
            let four = ArkFq2::from(4);
            same(ratio, &|lane| match value(0, lane).inverse() {
                Some(inverse) => four * value(2, lane) * inverse,
                None => ArkFq2::from(0),
            });
        }
    }
}

#[test]
fn elements_of_fq2_are_arkworks() {
    on_all(Extension);
}

/// Sums of points that are repeated, opposite and absent, without vectors.
fn emulated_sums<C: StoredCurve>() {
    let rng = &mut ark_std::test_rng();
    let some = [0; 3].map(|_| Projective::<C>::rand(rng).into_affine());
    let points: Vec<Affine<C>> = (0..90)
        .map(|place| match place % 7 {
            0 => -some[0],
            6 => Affine::zero(),
            place => some[place % 3],
        })
        .collect();
    let random: Vec<Fr> = points.iter().map(|_| Fr::rand(rng)).collect();
    let small: Vec<Fr> = (0..90).map(|place| Fr::from(place % 4)).collect();
    for scalars in [random, small, vec![Fr::from(1); 90], vec![Fr::from(3); 90]] {
        let is = sum(Wide(Emulated), &points, &Scalars::new(&scalars));
        let must = Projective::<C>::msm(&points, &scalars).unwrap();
        assert_eq!(is.into_affine(), must.into_affine());
    }
}

#[test]
fn emulated_lanes_add_every_pair_of_points() {
    emulated_sums::<g1::Config>();
    emulated_sums::<g2::Config>();
}
