//! Checks of the relations between the points of a proving key.

use ark_bn254::{Bn254, Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup, pairing::Pairing};
use ark_ff::Zero;
use ark_groth16::VerifyingKey;
use rand::{RngCore, rngs::OsRng};
use zkwhirl_circuits::r1cs::{Matrices, Matrix};

use crate::native::keys::{check_subgroup, sum};

/// The points of a key, in mapped memory or in vectors.
#[derive(Debug)]
pub(super) struct Consistency<'a> {
    pub(super) vk: &'a VerifyingKey<Bn254>,
    pub(super) beta_g1: G1Affine,
    pub(super) delta_g1: G1Affine,
    pub(super) a: &'a [G1Affine],
    pub(super) b_g1: &'a [G1Affine],
    pub(super) b_g2: &'a [G2Affine],
    pub(super) h: &'a [G1Affine],
    pub(super) l: &'a [G1Affine],
}

/// Points that no key may have. The field says which relation does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Inconsistent(String);

/// Refuses a key that is degenerate or whose parts do not belong together. The
/// caller has checked that the points are on the curve, and their number.
///
/// This does not show that the points belong to the matrices: for that, compare the
/// key with its powers of tau, or make a proof.
pub(super) fn consistent(key: &Consistency<'_>, matrices: &Matrices) -> Result<(), Inconsistent> {
    numbers(key)?;
    infinities(key, matrices)?;
    if key.h.windows(2).any(|pair| pair[0] == pair[1]) {
        return refused("tau is 1: consecutive powers are equal");
    }
    let constants = [key.vk.beta_g2, key.vk.gamma_g2, key.vk.delta_g2];
    if !check_subgroup(&constants) || !check_subgroup(key.b_g2) {
        return refused("points of G2 are outside the subgroup");
    }
    // Lists of different points have equal random sums with probability 2^-64.
    let random = key.b_g1.iter().map(|_| Fr::from(OsRng.next_u64()));
    let random: Vec<Fr> = random.collect();
    let b_g1 = sum(key.b_g1, &random).into_affine();
    let b_g2 = sum(key.b_g2, &random).into_affine();
    // A setup may start from any generators; its deltas are of the same ones.
    let same = |one: G1Affine, other: G2Affine| {
        Bn254::pairing(one, key.vk.delta_g2) == Bn254::pairing(key.delta_g1, other)
    };
    if !same(key.beta_g1, key.vk.beta_g2) {
        return refused("beta or delta differs between G1 and G2");
    }
    if !same(b_g1, b_g2) {
        return refused("the B points differ between G1 and G2");
    }
    Ok(())
}

fn numbers(key: &Consistency<'_>) -> Result<(), Inconsistent> {
    let (g1, g2) = (G1Affine::generator(), G2Affine::generator());
    let known_g1 = |point: G1Affine| point.is_zero() || point == g1;
    let known_g2 = |point: G2Affine| point.is_zero() || point == g2;
    if key.vk.delta_g2 == key.vk.gamma_g2 {
        return refused("delta equals gamma: the key has no contribution to the second phase");
    }
    let known = [
        ("alpha", known_g1(key.vk.alpha_g1)),
        ("beta", known_g1(key.beta_g1) || known_g2(key.vk.beta_g2)),
        ("delta", known_g1(key.delta_g1) || known_g2(key.vk.delta_g2)),
        ("gamma", key.vk.gamma_g2.is_zero()),
    ];
    match known.iter().find(|(_, known)| *known) {
        Some((name, _)) => refused(format!("{name} is 0 or 1, which everybody knows")),
        None => Ok(()),
    }
}

/// Checks that a point is at infinity exactly if its variable is in no row.
fn infinities(key: &Consistency<'_>, matrices: &Matrices) -> Result<(), Inconsistent> {
    let mut in_a = used(matrices, &matrices.a);
    in_a[..matrices.num_instance].fill(true);
    let [in_b, in_c] = [&matrices.b, &matrices.c].map(|matrix| used(matrices, matrix));
    let anywhere = |place: usize| in_a[place] || in_b[place] || in_c[place];
    let wrong = |points: &[G1Affine], used: &dyn Fn(usize) -> bool| {
        (0..points.len()).find(|place| points[*place].is_zero() == used(*place))
    };
    let first = matrices.num_instance;
    for (points, place) in [
        ("A", wrong(key.a, &|place| in_a[place])),
        ("B", wrong(key.b_g1, &|place| in_b[place])),
        ("L", wrong(key.l, &|place| anywhere(place + first))),
        ("H", wrong(key.h, &|_| true)),
    ] {
        if let Some(place) = place {
            return refused(format!(
                "its {points} point {place} is at infinity and must not be, or must be and is \
                 not: tau is a root of unity, or the key is of another circuit"
            ));
        }
    }
    Ok(())
}

fn refused(problem: impl Into<String>) -> Result<(), Inconsistent> {
    Err(Inconsistent(problem.into()))
}

fn used(matrices: &Matrices, matrix: &Matrix) -> Vec<bool> {
    let mut used = vec![false; super::variables(matrices)];
    for row in 0..matrices.num_rows {
        for (column, coefficient) in matrices.row(matrix, row) {
            used[column as usize] |= !coefficient.is_zero();
        }
    }
    used
}
