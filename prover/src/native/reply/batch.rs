//! Verification of many proofs, under any number of keys, by one product of
//! pairings.
//!
//! A Groth16 proof (A, B, C) of the public input x holds under a key if
//!
//! ```text
//! e(A, B) = e(α, β) · e(L(x), γ) · e(C, δ)        L(x) = L₀ + x·L₁
//! ```
//!
//! (Groth 2016, section 3.2.) With random coefficients r, drawn after the
//! proofs were made, all proofs hold if the following product is 1, except with
//! probability 2⁻¹²⁸:
//!
//! ```text
//! Π e(rᵢ·Aᵢ, Bᵢ) · Π over keys e(−Σr·α, β) · e(−Σr·L(x), γ) · e(−Σr·C, δ) = 1
//! ```
//!
//! The product takes one pairing for each proof, three for each key, and one
//! final exponentiation.

use ark_bn254::{Bn254, Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM, pairing::Pairing};
use ark_ff::{AdditiveGroup, BigInt, Field};
use ark_groth16::Proof;
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use rand::{RngCore, rngs::OsRng};
use rayon::prelude::*;

use crate::native::keys::VerificationKey;

/// One proof of a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchEntry<'a> {
    pub(crate) key: &'a VerificationKey,
    pub(crate) public_input: Fr,
    /// The proof: A ‖ B ‖ C, each compressed: 32, 64 and 32 bytes.
    pub(crate) proof: &'a [u8; 128],
}

/// The first bad proof of a batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub(crate) struct BadProof {
    /// The index of the proof in the batch.
    pub(crate) at: usize,
    /// What is wrong with the proof, as a complete sentence.
    pub(crate) problem: &'static str,
}

const NO_POINTS: &str = "the proof is not three points of the curve's groups";
const NOT_CANONICAL: &str = "the proof's bytes are not the canonical encoding of its points";
const FALSE: &str = "the proof does not verify for its published fields";

/// Accepts a batch if every proof verifies; the error names the first bad proof.
/// An empty batch is accepted.
///
/// Each proof is decoded with all checks: coordinates below the modulus, points on
/// the curve and in the group of prime order, canonical encoding. A good batch takes
/// about one pairing per proof, a batch with a bad proof twice as long.
pub(crate) fn verify_batch(entries: &[BatchEntry<'_>]) -> Result<(), BadProof> {
    let proofs: Vec<Result<Proof<Bn254>, &'static str>> = entries
        .par_iter()
        .map(|entry| read_proof(entry.proof))
        .collect();
    let readable = proofs.iter().take_while(|proof| proof.is_ok()).count();
    let terms: Vec<Term<'_>> = entries
        .iter()
        .zip(proofs.iter().flatten())
        .take(readable)
        .map(|(entry, proof)| Term { entry, proof })
        .collect();
    if let Some(at) = first_false(&terms) {
        let problem = FALSE;
        return Err(BadProof { at, problem });
    }
    match proofs.get(readable) {
        Some(Err(problem)) => Err(BadProof {
            at: readable,
            problem,
        }),
        _ => Ok(()),
    }
}

pub(crate) fn read_proof(bytes: &[u8; 128]) -> Result<Proof<Bn254>, &'static str> {
    let proof = Proof::<Bn254>::deserialize_compressed(&bytes[..]).map_err(|_| NO_POINTS)?;
    // The library decodes infinity with any coordinate.
    let mut again = [0; 128];
    match proof.serialize_compressed(&mut again[..]) {
        Ok(()) if again == *bytes => Ok(proof),
        _ => Err(NOT_CANONICAL),
    }
}

/// A decoded proof with its key, its public input and its random coefficient.
struct Term<'a> {
    entry: &'a BatchEntry<'a>,
    proof: &'a Proof<Bn254>,
}

/// Finds the first term that does not hold, by halving.
fn first_false(terms: &[Term<'_>]) -> Option<usize> {
    if holds(terms) {
        return None;
    }
    let (mut first, mut rest) = (0, terms);
    while rest.len() > 1 {
        let (left, right) = rest.split_at(rest.len() / 2);
        // If the left half holds, the right half does not.
        rest = if holds(left) {
            first += left.len();
            right
        } else {
            left
        };
    }
    Some(first)
}

/// The sums over the proofs of one key, for the key's factors of the product.
struct Sums<'a> {
    key: &'a VerificationKey,
    /// Σr, the factor of α.
    weight: Fr,
    /// Σr·x, the factor of L₁.
    inputs: Fr,
    /// The points C of the proofs, and the proofs' coefficients r.
    c: (Vec<G1Affine>, Vec<Fr>),
}

/// Whether the product over `terms`, with their random coefficients, is 1.
fn holds(terms: &[Term<'_>]) -> bool {
    let coefficients: Vec<(BigInt<2>, Fr)> = terms.iter().map(|_| coefficient()).collect();
    let a: Vec<G1Projective> = terms
        .par_iter()
        .zip(&coefficients)
        .map(|(term, (integer, _))| term.proof.a.mul_bigint(integer))
        .collect();
    let mut keys: Vec<Sums<'_>> = Vec::new();
    for (term, (_, r)) in terms.iter().zip(&coefficients) {
        let key = term.entry.key;
        let known = keys.iter().position(|sums| sums.key.digest == key.digest);
        let at = known.unwrap_or_else(|| {
            keys.push(Sums::new(key));
            keys.len() - 1
        });
        keys[at].add(term, *r);
    }
    let mut left = G1Projective::normalize_batch(&a);
    let mut right: Vec<G2Affine> = terms.iter().map(|term| term.proof.b).collect();
    for sums in &keys {
        let vk = &sums.key.prepared.vk;
        left.extend(sums.points());
        right.extend([vk.beta_g2, vk.gamma_g2, vk.delta_g2]);
    }
    Bn254::multi_pairing(left, right).0 == <Bn254 as Pairing>::TargetField::ONE
}

/// Draws a coefficient: 128 bits from the operating system's generator.
fn coefficient() -> (BigInt<2>, Fr) {
    let limbs = [OsRng.next_u64(), OsRng.next_u64()];
    let element = Fr::new(BigInt::new([limbs[0], limbs[1], 0, 0]));
    (BigInt::new(limbs), element)
}

impl<'a> Sums<'a> {
    fn new(key: &'a VerificationKey) -> Self {
        Self {
            key,
            weight: Fr::ZERO,
            inputs: Fr::ZERO,
            c: (Vec::new(), Vec::new()),
        }
    }

    fn add(&mut self, term: &Term<'_>, r: Fr) {
        self.weight += r;
        self.inputs += r * term.entry.public_input;
        self.c.0.push(term.proof.c);
        self.c.1.push(r);
    }

    /// The three points that are paired with β, γ and δ.
    fn points(&self) -> Vec<G1Affine> {
        let vk = &self.key.prepared.vk;
        let public = vk.gamma_abc_g1[0] * self.weight + vk.gamma_abc_g1[1] * self.inputs;
        let c = G1Projective::msm_unchecked(&self.c.0, &self.c.1);
        let sums = [vk.alpha_g1 * self.weight, public, c];
        G1Projective::normalize_batch(&sums.map(|sum| -sum))
    }
}

#[cfg(test)]
mod tests;
