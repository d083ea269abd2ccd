//! snarkjs' proving keys: `.zkey` files.

use std::path::{Path, PathBuf};

use ark_bn254::{Bn254, Fr, G1Affine, G2Affine, g1};
use ark_ec::{AffineRepr, CurveGroup, pairing::Pairing};
use ark_ff::{FftField, Field, PrimeField, UniformRand};
use ark_groth16::ProvingKey;
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use rand::rngs::OsRng;
use rayon::prelude::*;
use zkwhirl_circuits::r1cs::Matrices;

use super::{
    CeremonyError, Consistency, Powers, consistent,
    contributions::contributions,
    domain,
    powers::powers,
    sections::{Iden3File, limbs, u32_at},
    start::PhaseTwoStart,
    variables,
    zkey_header::header,
};
use crate::native::keys::sum;

/// A ceremony's proving key that was checked against a circuit.
#[derive(Debug)]
pub(super) struct Zkey {
    path: PathBuf,
    pub(super) key: ProvingKey<Bn254>,
    /// The hashes of the contributions, oldest first, as snarkjs shows them:
    /// BLAKE2b-512, hexadecimal.
    pub(super) contributions: Vec<String>,
}

impl Zkey {
    /// Reads a key and checks it against a circuit: sizes, every coefficient
    /// of A and B, and all points: on the curve, in the subgroup, at infinity only
    /// where a variable is unused, with no secret number that is 0 or 1.
    ///
    /// A `.zkey` does not contain the matrix C: only [`Zkey::check_against`] or a
    /// proof shows that the points belong to the circuit.
    pub(super) fn read(path: &Path, matrices: &Matrices) -> Result<Self, CeremonyError> {
        let file = Iden3File::open(path, "zkey")?;
        let mut key = header(&file, matrices)?;
        check_coefficients(&file, matrices)?;
        let contributions = contributions(&file, key.delta_g1)?;
        let (g1, g2) = (G1Affine::generator(), G2Affine::generator());
        if Bn254::pairing(key.delta_g1, g2) != Bn254::pairing(g1, key.vk.delta_g2) {
            return Err(file.refused("cannot be used: delta differs between G1 and G2"));
        }
        let (variables, instance) = (variables(matrices) as u64, matrices.num_instance as u64);
        let odd = file.points::<g1::Config>(9, 0, domain(matrices) as u64)?;
        // A tau of 1 puts these points at infinity. The check comes before the
        // transform, because the transform takes long.
        if let Some(place) = odd.iter().position(AffineRepr::is_zero) {
            return Err(file.refused(format!(
                "has H point {place} at infinity: tau is a root of unity"
            )));
        }
        key.h_query = h_query(&odd);
        key.vk.gamma_abc_g1 = file.points(3, 0, instance)?;
        key.a_query = file.points(5, 0, variables)?;
        key.b_g1_query = file.points(6, 0, variables)?;
        key.b_g2_query = file.points(7, 0, variables)?;
        key.l_query = file.points(8, 0, variables - instance)?;
        consistent(&parts(&key), matrices)
            .map_err(|problem| file.refused(format!("cannot be used: {problem}")))?;
        Ok(Self {
            path: path.to_owned(),
            key,
            contributions,
        })
    }

    /// Checks every point against the ceremony's first phase. The key is then sound
    /// if one contributor of each phase has destroyed their secret.
    pub(super) fn check_against(
        &self,
        matrices: &Matrices,
        powers: &Powers,
    ) -> Result<(), CeremonyError> {
        let start = PhaseTwoStart::new(matrices, powers);
        let key = &self.key;
        let first = matrices.num_instance;
        let g2 = G2Affine::generator();
        let divided = |points: &[G1Affine], undivided: &[G1Affine]| {
            let random: Vec<Fr> = points.iter().map(|_| Fr::rand(&mut OsRng)).collect();
            let [sum, whole] = [points, undivided].map(|points| sum(points, &random));
            points.len() == undivided.len()
                && Bn254::pairing(sum, key.vk.delta_g2) == Bn254::pairing(whole, g2)
        };
        for (what, same) in [
            ("alpha", key.vk.alpha_g1 == powers.alpha),
            (
                "beta",
                key.beta_g1 == powers.beta && key.vk.beta_g2 == powers.beta_g2,
            ),
            ("gamma", key.vk.gamma_g2 == g2),
            ("A points", key.a_query == start.a),
            (
                "B points",
                key.b_g1_query == start.b && key.b_g2_query == start.b_g2,
            ),
            ("public points", key.vk.gamma_abc_g1 == start.k[..first]),
            ("L points", divided(&key.l_query, &start.k[first..])),
            ("H points", divided(&key.h_query, &start.h)),
        ] {
            if !same {
                let problem = format!("does not match these powers of tau in its {what}");
                return Err(CeremonyError::refused(&self.path, problem));
            }
        }
        Ok(())
    }
}

fn parts(key: &ProvingKey<Bn254>) -> Consistency<'_> {
    Consistency {
        vk: &key.vk,
        beta_g1: key.beta_g1,
        delta_g1: key.delta_g1,
        a: &key.a_query,
        b_g1: &key.b_g1_query,
        b_g2: &key.b_g2_query,
        h: &key.h_query,
        l: &key.l_query,
    }
}

/// Compares the file's coefficients of A and B, and its rows for the public
/// variables, with those of the circuit.
fn check_coefficients(file: &Iden3File, matrices: &Matrices) -> Result<(), CeremonyError> {
    const ENTRY: usize = 44;
    let mut ours = Vec::new();
    for (number, matrix) in [(0, &matrices.a), (1, &matrices.b)] {
        for row in 0..matrices.num_rows {
            let entries = matrices.row(matrix, row);
            ours.extend(entries.map(|(column, k)| ((number, row as u32, column), *k)));
        }
    }
    for place in 0..matrices.num_instance as u32 {
        ours.push(((0, matrices.num_rows as u32 + place, place), Fr::ONE));
    }
    let bytes = file.whole(4, (4 + ours.len() * ENTRY) as u64)?;
    // The files hold k·R². Read in Montgomery form, this is k·R.
    let back = Fr::new_unchecked(Fr::R2).inverse().unwrap_or(Fr::ONE);
    let mut theirs = Vec::with_capacity(ours.len());
    for entry in bytes[4..].as_chunks::<ENTRY>().0 {
        let place = (u32_at(entry, 0), u32_at(entry, 4), u32_at(entry, 8));
        let number = limbs(&entry[12..]);
        if number >= Fr::MODULUS {
            return Err(file.refused("has a coefficient that is no field element"));
        }
        theirs.push((place, Fr::new_unchecked(number) * back));
    }
    ours.par_sort_unstable_by_key(|(place, _)| *place);
    theirs.par_sort_unstable_by_key(|(place, _)| *place);
    match ours
        .iter()
        .zip(&theirs)
        .find(|(ours, theirs)| ours != theirs)
    {
        None => Ok(()),
        Some((((matrix, row, column), _), _)) => Err(file.refused(format!(
            "is of another circuit: {} differs at row {row}, variable {column}",
            ["A", "B"][*matrix as usize]
        ))),
    }
}

/// Computes zkWhirl's H points, τ^k·Z(τ)/δ, from snarkjs' M_i = L_{2i+1}(τ)/δ, where
/// L are the Lagrange polynomials of the domain that is twice as large.
///
/// x^k·Z(x) is 0 at the even roots and −2·x^k at the odd ones, v·w^i with v the
/// larger domain's root and w = v²: so it is −2·v^k · Σ w^(ik)·M_i, a transform.
fn h_query(odd: &[G1Affine]) -> Vec<G1Affine> {
    let n = odd.len();
    let domain = Radix2EvaluationDomain::<Fr>::new(n);
    let root = Fr::get_root_of_unity(2 * n as u64);
    let (Some(domain), Some(root)) = (domain, root) else {
        return Vec::new();
    };
    let mut points: Vec<_> = odd.iter().map(|point| point.into_group()).collect();
    domain.fft_in_place(&mut points);
    points.truncate(n - 1);
    let factors = powers(root, n);
    points
        .par_iter_mut()
        .zip(&factors)
        .for_each(|(point, factor)| *point *= -(*factor + factor));
    ark_bn254::G1Projective::normalize_batch(&points)
}
