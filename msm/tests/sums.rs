//! Tests of sums against arkworks, in G1 and G2, with and without vectors.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests print what is skipped, and fail by panicking"
)]

use ark_bn254::{Fr, g1, g2};
use ark_ec::{
    AffineRepr, CurveGroup, VariableBaseMSM,
    short_weierstrass::{Affine, Projective},
};
use ark_ff::{Field, UniformRand};
use ark_std::rand::{Rng, SeedableRng, rngs::StdRng};
use proptest::prelude::*;
use zkwhirl_msm::{Arithmetic, Curve, Scalars};

fn ways() -> Vec<Arithmetic> {
    let wide = Arithmetic::wide();
    if wide.is_none() {
        println!("skipped with vectors: this processor has no AVX-512 IFMA");
    }
    std::iter::once(Arithmetic::PORTABLE).chain(wide).collect()
}

/// Points by number: 0 is infinity, and −n is the negative of point n.
struct Known<C: Curve>(Vec<Affine<C>>);

impl<C: Curve> Known<C> {
    fn new(count: usize) -> Self {
        let rng = &mut ark_std::test_rng();
        let points: Vec<_> = (0..count).map(|_| Projective::<C>::rand(rng)).collect();
        Self(Projective::normalize_batch(&points))
    }

    fn all(&self, numbers: impl IntoIterator<Item = i64>) -> Vec<Affine<C>> {
        let point = |number: i64| match number.unsigned_abs() as usize {
            0 => Affine::zero(),
            place if number < 0 => -self.0[place - 1],
            place => self.0[place - 1],
        };
        numbers.into_iter().map(point).collect()
    }
}

#[track_caller]
fn check<C: Curve>(points: &[Affine<C>], scalars: &[Fr]) {
    let must = Projective::<C>::msm(points, &scalars[scalars.len() - points.len()..]).unwrap();
    let scalars = Scalars::new(scalars);
    for way in ways() {
        let is = way.sum(points, &scalars);
        assert_eq!(is.into_affine(), must.into_affine(), "{}", way.name());
    }
}

fn random(count: usize) -> Vec<Fr> {
    let rng = &mut StdRng::seed_from_u64(count as u64);
    (0..count).map(|_| Fr::rand(rng)).collect()
}

fn lengths<C: Curve>() {
    let known = Known::<C>::new(1025);
    for count in [0, 1, 2, 3, 15, 16, 17, 31, 33, 100, 1023, 1024, 1025] {
        check(&known.0[..count], &random(count));
    }
}

#[test]
fn every_length_has_its_sum() {
    lengths::<g1::Config>();
    lengths::<g2::Config>();
}

/// Checks sums in which equal points, opposite points and infinity are added.
fn structured<C: Curve>() {
    let known = Known::<C>::new(300);
    let mut rng = StdRng::seed_from_u64(1);
    let mut sorted = known.0.clone();
    sorted.sort_by_key(|point| point.x);
    let count = 700i64;
    let all_points = [
        known.all((0..count).map(|_| 1)),
        known.all((0..count).map(|i| 1 - 2 * (i & 1))),
        known.all((0..count).map(|i| 1 + i / 2 % 300)),
        known.all((0..count).map(|i| 1 + i % 3)),
        known.all((0..count).map(|i| (i % 5 - 2) * (i % 2))),
        known.all((0..count).map(|_| 0)),
        known.all((0..count).map(|_| rng.gen_range(-4..=4))),
        sorted,
    ];
    let scalars = |of: &mut dyn FnMut(u64) -> Fr| (0..count as u64).map(of).collect::<Vec<Fr>>();
    let small = Fr::from(3);
    let all_scalars = [
        random(count as usize),
        scalars(&mut |_| Fr::from(1)),
        scalars(&mut |_| -Fr::from(1)),
        scalars(&mut |_| Fr::from(0)),
        scalars(&mut |_| small),
        scalars(&mut |i| small * Fr::from(i % 2) - Fr::from(1)),
        scalars(&mut |i| Fr::from(i % 2)),
        scalars(&mut Fr::from),
        scalars(&mut |i| -Fr::from(i)),
        scalars(&mut |i| Fr::from(2).pow([i % 254])),
        scalars(&mut |i| random(1)[0] * Fr::from(i / 100)),
    ];
    for points in &all_points {
        for scalars in &all_scalars {
            check(points, &scalars[..points.len()]);
        }
    }
}

#[test]
fn structured_points_and_scalars_have_their_sum_in_g1() {
    structured::<g1::Config>();
}

#[test]
fn structured_points_and_scalars_have_their_sum_in_g2() {
    structured::<g2::Config>();
}

/// A window takes more than one task, and so does a single bucket.
#[test]
fn buckets_of_several_tasks_are_joined() {
    let known = Known::<g1::Config>::new(1000);
    let count = 70_000;
    let points = known.all((0..count).map(|i| 1 + i % 1000));
    check(&points, &random(count as usize));
    check(&points, &vec![Fr::from(1); points.len()]);
    check(&points, &vec![-random(1)[0]; points.len()]);
}

#[test]
fn fewer_points_belong_to_the_last_scalars() {
    let known = Known::<g1::Config>::new(500);
    let mut scalars = random(500);
    scalars[200..400].fill(Fr::from(1));
    let scalars = [scalars, known.0.iter().map(|_| Fr::from(2)).collect()].concat();
    for count in [0, 1, 499, 500] {
        check(&known.0[..count], &scalars[..777]);
    }
}

#[test]
fn scalars_serve_both_curves_and_any_points() {
    let (some, others) = (Known::<g1::Config>::new(60), Known::<g2::Config>::new(60));
    let values = random(60);
    let scalars = Scalars::new(&values);
    assert_eq!((scalars.len(), scalars.is_empty()), (60, false));
    for way in ways() {
        let first: Projective<g1::Config> = way.sum(&some.0, &scalars);
        assert_eq!(first, Projective::msm(&some.0, &values).unwrap());
        let second: Projective<g2::Config> = way.sum(&others.0, &scalars);
        assert_eq!(second, Projective::msm(&others.0, &values).unwrap());
    }
}

#[test]
#[should_panic(expected = "3 points have only 2 scalars")]
fn more_points_than_scalars_are_refused() {
    let known = Known::<g1::Config>::new(3);
    let _ = Arithmetic::PORTABLE.sum(&known.0, &Scalars::new(&random(2)));
}

/// Scalars of any size, and their negatives.
fn scalar() -> impl Strategy<Value = Fr> {
    let shape = (any::<[u64; 4]>(), 0..255u32, any::<bool>());
    shape.prop_map(|(limbs, bits, negative)| {
        let mut bytes: Vec<u8> = limbs.iter().flat_map(|limb| limb.to_le_bytes()).collect();
        bytes.truncate(bits.div_ceil(8) as usize);
        let value: Fr = ark_ff::PrimeField::from_le_bytes_mod_order(&bytes);
        if negative { -value } else { value }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_points_and_scalars_have_their_sum(
        terms in prop::collection::vec((-6i64..=6, scalar()), 0..200)
    ) {
        let (numbers, scalars): (Vec<i64>, Vec<Fr>) = terms.into_iter().unzip();
        check(&Known::<g1::Config>::new(6).all(numbers.iter().copied()), &scalars);
        check(&Known::<g2::Config>::new(6).all(numbers), &scalars);
    }
}
