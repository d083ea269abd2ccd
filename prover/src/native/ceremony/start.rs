//! The key that a second phase starts with, from powers of tau and a circuit.

use ark_bn254::{Bn254, Fr, G1Affine, G2Affine};
use ark_ec::{
    AffineRepr, CurveGroup, VariableBaseMSM,
    short_weierstrass::{Affine, Projective, SWCurveConfig},
};
use ark_ff::{Field, UniformRand, Zero};
use ark_groth16::{ProvingKey, VerifyingKey};
use rand::{CryptoRng, RngCore};
use rayon::prelude::*;
use zkwhirl_circuits::r1cs::{Matrices, Matrix};

use super::Powers;

/// A key before the first contribution: δ and γ are 1.
///
/// a_i, b_i, c_i are the polynomials of variable i over the domain.
#[derive(Debug)]
pub(super) struct PhaseTwoStart {
    /// a_i(τ).
    pub(super) a: Vec<G1Affine>,
    /// b_i(τ).
    pub(super) b: Vec<G1Affine>,
    /// b_i(τ), in G2.
    pub(super) b_g2: Vec<G2Affine>,
    /// β·a_i(τ) + α·b_i(τ) + c_i(τ).
    pub(super) k: Vec<G1Affine>,
    /// τ^i·Z(τ), i < size − 1.
    pub(super) h: Vec<G1Affine>,
}

/// The entries of one matrix by variable: row and coefficient.
type Columns = Vec<Vec<(usize, Fr)>>;

/// A key from powers of tau and one contribution, whose secret is dropped.
pub(super) fn start(
    matrices: &Matrices,
    powers: &Powers,
    rng: &mut (impl RngCore + CryptoRng),
) -> ProvingKey<Bn254> {
    PhaseTwoStart::new(matrices, powers).contribute(powers, matrices.num_instance, rng)
}

impl PhaseTwoStart {
    /// The start for a circuit whose domain is that of `powers`.
    pub(super) fn new(matrices: &Matrices, powers: &Powers) -> Self {
        let mut a = columns(matrices, &matrices.a);
        // libsnark's reduction adds a row per public variable.
        for (place, column) in a.iter_mut().enumerate().take(matrices.num_instance) {
            column.push((matrices.num_rows + place, Fr::ONE));
        }
        let [b, c] = [&matrices.b, &matrices.c].map(|matrix| columns(matrices, matrix));
        let k = (0..a.len()).into_par_iter().with_min_len(64).map(|place| {
            sum(&powers.beta_lagrange, &a[place])
                + sum(&powers.alpha_lagrange, &b[place])
                + sum(&powers.lagrange, &c[place])
        });
        let n = powers.size;
        let h = (0..n - 1)
            .into_par_iter()
            .map(|i| powers.tau[i + n] - powers.tau[i]);
        Self {
            k: affine(k.collect()),
            h: affine(h.collect()),
            a: sums(&powers.lagrange, &a),
            b: sums(&powers.lagrange, &b),
            b_g2: sums(&powers.lagrange_g2, &b),
        }
    }

    /// A key with one contribution: a random δ.
    fn contribute(
        self,
        powers: &Powers,
        instance: usize,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> ProvingKey<Bn254> {
        let (delta, inverse) = loop {
            let delta = Fr::rand(rng);
            if let Some(inverse) = delta.inverse() {
                break (delta, inverse);
            }
        };
        let divided =
            |points: &[G1Affine]| affine(points.par_iter().map(|point| *point * inverse).collect());
        ProvingKey {
            vk: VerifyingKey {
                alpha_g1: powers.alpha,
                beta_g2: powers.beta_g2,
                gamma_g2: G2Affine::generator(),
                delta_g2: (G2Affine::generator() * delta).into_affine(),
                gamma_abc_g1: self.k[..instance].to_vec(),
            },
            beta_g1: powers.beta,
            delta_g1: (G1Affine::generator() * delta).into_affine(),
            h_query: divided(&self.h),
            l_query: divided(&self.k[instance..]),
            a_query: self.a,
            b_g1_query: self.b,
            b_g2_query: self.b_g2,
        }
    }
}

fn columns(matrices: &Matrices, matrix: &Matrix) -> Columns {
    let mut columns = vec![Vec::new(); matrices.num_instance + matrices.num_witness];
    for row in 0..matrices.num_rows {
        for (column, coefficient) in matrices.row(matrix, row) {
            columns[column as usize].push((row, *coefficient));
        }
    }
    columns
}

fn sums<C: SWCurveConfig<ScalarField = Fr>>(
    basis: &[Affine<C>],
    columns: &Columns,
) -> Vec<Affine<C>> {
    let sums = columns.par_iter().with_min_len(64);
    affine(sums.map(|column| sum(basis, column)).collect())
}

fn affine<C: SWCurveConfig>(points: Vec<Projective<C>>) -> Vec<Affine<C>> {
    Projective::normalize_batch(&points)
}

/// Σ coefficient · basis_row. Most coefficients are 1 or −1.
fn sum<C: SWCurveConfig<ScalarField = Fr>>(
    basis: &[Affine<C>],
    column: &[(usize, Fr)],
) -> Projective<C> {
    let mut sum = Projective::zero();
    let (mut points, mut factors) = (Vec::new(), Vec::new());
    for (row, coefficient) in column {
        if *coefficient == Fr::ONE {
            sum += basis[*row];
        } else if *coefficient == -Fr::ONE {
            sum -= basis[*row];
        } else {
            points.push(basis[*row]);
            factors.push(*coefficient);
        }
    }
    // The sum of many shares its doublings.
    match points.len() {
        0..4 => points
            .iter()
            .zip(&factors)
            .fold(sum, |sum, (p, k)| sum + *p * k),
        _ => sum + Projective::msm_unchecked(&points, &factors),
    }
}
