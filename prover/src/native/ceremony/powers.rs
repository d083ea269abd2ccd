//! A ceremony's powers of tau: a `.ptau` file, prepared for the second phase.

use std::{iter, path::Path};

use ark_bn254::{Bn254, Fq, Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::{AffineRepr, CurveGroup, pairing::Pairing};
use ark_ff::{FftField, Field, UniformRand, Zero};
use rand::rngs::OsRng;

use super::{
    CeremonyError,
    sections::{Iden3File, modulus, u32_at},
};
use crate::native::keys::{check_subgroup, sum};

/// A ceremony's powers of τ, with α and β: the points that a circuit with a domain
/// of `size` needs. L_j is the j-th Lagrange polynomial of the domain.
#[derive(Debug)]
pub(super) struct Powers {
    pub(super) size: usize,
    /// τ^i, i < 2·size − 1.
    pub(super) tau: Vec<G1Affine>,
    /// L_j(τ).
    pub(super) lagrange: Vec<G1Affine>,
    /// L_j(τ), in G2.
    pub(super) lagrange_g2: Vec<G2Affine>,
    /// α·L_j(τ).
    pub(super) alpha_lagrange: Vec<G1Affine>,
    /// β·L_j(τ).
    pub(super) beta_lagrange: Vec<G1Affine>,
    pub(super) alpha: G1Affine,
    pub(super) beta: G1Affine,
    pub(super) beta_g2: G2Affine,
    tau_g2: G2Affine,
    /// BLAKE3 of the powers in the file, hexadecimal. The digest identifies the
    /// ceremony; the preparation for phase 2 does not change it.
    pub(super) digest: String,
}

impl Powers {
    /// Reads and checks the points for a domain of `size`, a power of two.
    ///
    /// The points must be powers of one τ, which is not a root of unity, and use
    /// the same α and β everywhere. The check does not show which ceremony made the
    /// file: compare [`Powers::digest`] with the ceremony's.
    pub(super) fn read(path: &Path, size: usize) -> Result<Self, CeremonyError> {
        let file = Iden3File::open(path, "ptau")?;
        let header = file.whole(1, 44)?;
        if header[..36] != modulus::<Fq>() {
            return Err(file.refused("is of another curve than BN254"));
        }
        let power = u32_at(&header, 36);
        if power > Fr::TWO_ADICITY || size > 1 << power {
            return Err(file.refused(format!(
                "reaches 2^{power}, the circuit needs 2^{}",
                size.ilog2()
            )));
        }
        if file.length(12).is_err() {
            return Err(file.refused("is not prepared: run snarkjs powersoftau prepare phase2"));
        }
        let n = size as u64;
        // The bases of all smaller domains come first: 1 + 2 + 4 + … points.
        let before = n - 1;
        let powers = Self {
            size,
            tau: file.points(2, 0, 2 * n - 1)?,
            lagrange: file.points(12, before, n)?,
            lagrange_g2: file.points(13, before, n)?,
            alpha_lagrange: file.points(14, before, n)?,
            beta_lagrange: file.points(15, before, n)?,
            alpha: file.points(4, 0, 1)?[0],
            beta: file.points(5, 0, 1)?[0],
            beta_g2: file.points(6, 0, 1)?[0],
            tau_g2: file.points(3, 1, 1)?[0],
            digest: digest(&file)?,
        };
        powers.check().map_err(|problem| file.refused(problem))?;
        Ok(powers)
    }

    fn check(&self) -> Result<(), &'static str> {
        let (g1, g2) = (G1Affine::generator(), G2Affine::generator());
        let subgroup =
            check_subgroup(&self.lagrange_g2) && check_subgroup(&[self.beta_g2, self.tau_g2]);
        if !subgroup {
            return Err("has points outside the subgroup");
        }
        if self.tau[0] != g1 || self.tau[1] == g1 || self.tau_g2 == g2 {
            return Err("has tau = 1: the file has no contribution");
        }
        if self.alpha == g1 || self.beta == g1 {
            return Err("has alpha or beta = 1: the file has no contribution");
        }
        // A point at infinity means that a secret number is 0.
        if [self.tau[1], self.alpha, self.beta]
            .iter()
            .any(AffineRepr::is_zero)
            || self.lagrange.iter().any(AffineRepr::is_zero)
        {
            return Err("has a secret number that is 0, or tau is a root of unity");
        }
        let pairs = |left: G1Projective, right: G2Affine, left2: G1Projective, right2: G2Affine| {
            Bn254::pairing(left, right) == Bn254::pairing(left2, right2)
        };
        let random: Vec<Fr> = (1..self.tau.len()).map(|_| Fr::rand(&mut OsRng)).collect();
        let [low, high] = [0, 1].map(|first| sum(&self.tau[first..], &random));
        if !pairs(high, g2, low, self.tau_g2) {
            return Err("has points that are not powers of one tau");
        }
        if !pairs(self.beta.into(), g2, g1.into(), self.beta_g2) {
            return Err("has a beta that differs between G1 and G2");
        }
        self.check_bases()
    }

    /// Checks that the Lagrange bases belong to the powers, with a random polynomial
    /// f = Σ s^i·x^i, whose value at the j-th root of unity w is
    /// ((s·w)^n − 1)/(s·w − 1).
    fn check_bases(&self) -> Result<(), &'static str> {
        let n = self.size;
        let s = Fr::rand(&mut OsRng);
        let coefficients = powers(s, n);
        let root = Fr::get_root_of_unity(n as u64).ok_or("has too large a domain for the field")?;
        let top = s.pow([n as u64]) - Fr::ONE;
        let mut values: Vec<Fr> = powers(root, n).iter().map(|w| s * w - Fr::ONE).collect();
        if values.iter().any(Zero::is_zero) {
            return Err("could not be checked; try again");
        }
        ark_ff::batch_inversion(&mut values);
        values.iter_mut().for_each(|value| *value *= top);
        let at_tau = sum(&self.tau[..n], &coefficients).into_affine();
        let at_tau_g2 = sum(&self.lagrange_g2, &values).into_affine();
        let [plain, alpha, beta] = [&self.lagrange, &self.alpha_lagrange, &self.beta_lagrange]
            .map(|basis| sum(basis, &values).into_affine());
        let (g1, g2) = (G1Affine::generator(), G2Affine::generator());
        let sound = plain == at_tau
            && Bn254::pairing(g1, at_tau_g2) == Bn254::pairing(at_tau, g2)
            && Bn254::pairing(alpha, g2) == Bn254::pairing(self.alpha, at_tau_g2)
            && Bn254::pairing(beta, g2) == Bn254::pairing(self.beta, at_tau_g2);
        sound
            .then_some(())
            .ok_or("was prepared wrongly: its Lagrange bases do not belong to its powers")
    }
}

/// The first `count` powers of a number, from 1 on.
pub(super) fn powers(base: Fr, count: usize) -> Vec<Fr> {
    let all = iter::successors(Some(Fr::ONE), |power| Some(*power * base));
    all.take(count).collect()
}

/// BLAKE3 over α, β, and the first powers of τ in both groups, which determine all
/// other powers.
fn digest(file: &Iden3File) -> Result<String, CeremonyError> {
    let mut hash = blake3::Hasher::new();
    for (section, bytes) in [(2, 128), (3, 256), (4, 64), (5, 64), (6, 128)] {
        hash.update(&file.part(section, 0, bytes)?);
    }
    Ok(hash.finalize().to_hex().to_string())
}
