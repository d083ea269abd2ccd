//! What must hold of a proving key's points, whoever made it.

use ark_bn254::{Bn254, Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup, pairing::Pairing};
use ark_ff::Zero;
use rand::{RngCore, rngs::OsRng};
use taceo_ark_algebra::msm::msm_unchecked;
use zkwhirl_circuits::r1cs::{Matrices, Matrix};

use crate::native::keys::check_subgroup;

/// The points of a key, wherever they lie.
#[derive(Debug)]
pub(crate) struct Consistency<'a> {
    pub(crate) alpha_g1: G1Affine,
    pub(crate) beta_g1: G1Affine,
    pub(crate) delta_g1: G1Affine,
    pub(crate) beta_g2: G2Affine,
    pub(crate) gamma_g2: G2Affine,
    pub(crate) delta_g2: G2Affine,
    pub(crate) a: &'a [G1Affine],
    pub(crate) b_g1: &'a [G1Affine],
    pub(crate) b_g2: &'a [G2Affine],
    pub(crate) h: &'a [G1Affine],
    pub(crate) l: &'a [G1Affine],
}

/// Refuses a key that is degenerate or whose parts do not belong together. Its
/// points are on the curve, and as many as the matrices need.
///
/// This does not prove that the points are those of the matrices: without the
/// powers that they came from, nothing short of a proof shows it.
pub(crate) fn consistent(key: &Consistency<'_>, matrices: &Matrices) -> Result<(), String> {
    numbers(key)?;
    infinities(key, matrices)?;
    if key.h.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err("tau is 1: consecutive powers are equal".to_owned());
    }
    let constants = [key.beta_g2, key.gamma_g2, key.delta_g2];
    if !check_subgroup(&constants) || !check_subgroup(key.b_g2) {
        return Err("points of G2 are outside the subgroup".to_owned());
    }
    // Points that differ have the same random sum once in 2^64 times.
    let random = key.b_g1.iter().map(|_| Fr::from(OsRng.next_u64()));
    let random: Vec<Fr> = random.collect();
    let b_g1 = msm_unchecked(key.b_g1, &random).into_affine();
    let b_g2 = msm_unchecked(key.b_g2, &random).into_affine();
    // A setup may start from any generators; its deltas are of the same ones.
    let same = |one: G1Affine, other: G2Affine| {
        Bn254::pairing(one, key.delta_g2) == Bn254::pairing(key.delta_g1, other)
    };
    if !same(key.beta_g1, key.beta_g2) {
        return Err("beta or delta differs between G1 and G2".to_owned());
    }
    if !same(b_g1, b_g2) {
        return Err("the B points differ between G1 and G2".to_owned());
    }
    Ok(())
}

/// The secret numbers must be none that everybody knows.
fn numbers(key: &Consistency<'_>) -> Result<(), String> {
    let (g1, g2) = (G1Affine::generator(), G2Affine::generator());
    let known_g1 = |point: G1Affine| point.is_zero() || point == g1;
    let known_g2 = |point: G2Affine| point.is_zero() || point == g2;
    if key.delta_g2 == key.gamma_g2 {
        return Err("delta is gamma: nobody has contributed to its second phase".to_owned());
    }
    for (name, known) in [
        ("alpha", known_g1(key.alpha_g1)),
        ("beta", known_g1(key.beta_g1) || known_g2(key.beta_g2)),
        ("delta", known_g1(key.delta_g1) || known_g2(key.delta_g2)),
        ("gamma", key.gamma_g2.is_zero()),
    ] {
        if known {
            return Err(format!("{name} is 0 or 1, which everybody knows"));
        }
    }
    Ok(())
}

/// Infinity stands only, and always, where a variable is in no row.
fn infinities(key: &Consistency<'_>, matrices: &Matrices) -> Result<(), String> {
    let mut in_a = used(matrices, &matrices.a);
    in_a[..matrices.num_instance].fill(true);
    let [in_b, in_c] = [&matrices.b, &matrices.c].map(|matrix| used(matrices, matrix));
    let anywhere = |place: usize| in_a[place] || in_b[place] || in_c[place];
    let private = matrices.num_instance..in_a.len();
    let wrong = |points: &[G1Affine], used: &dyn Fn(usize) -> bool| {
        (0..points.len()).find(|place| points[*place].is_zero() == used(*place))
    };
    let first = private.start;
    let found = [
        ("A", wrong(key.a, &|place| in_a[place])),
        ("B", wrong(key.b_g1, &|place| in_b[place])),
        ("L", wrong(key.l, &|place| anywhere(place + first))),
        ("H", wrong(key.h, &|_| true)),
    ];
    match found
        .iter()
        .find_map(|(name, place)| Some((name, (*place)?)))
    {
        None => Ok(()),
        Some((name, place)) => Err(format!(
            "its {name} point {place} is at infinity where none belongs, or the other way \
             round: tau is a root of unity, or the key is of another circuit"
        )),
    }
}

fn used(matrices: &Matrices, matrix: &Matrix) -> Vec<bool> {
    let mut used = vec![false; matrices.num_instance + matrices.num_witness];
    for row in 0..matrices.num_rows {
        for (column, coefficient) in matrices.row(matrix, row) {
            used[column as usize] |= !coefficient.is_zero();
        }
    }
    used
}
