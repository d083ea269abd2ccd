//! snarkjs' proving keys: `.zkey`.

use std::path::Path;

use ark_bn254::{Bn254, Fq, Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup, pairing::Pairing};
use ark_ff::{BigInteger, FftField, Field, PrimeField, UniformRand};
use ark_groth16::{ProvingKey, VerifyingKey};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use blake2::{Blake2b512, Digest};
use rand::rngs::OsRng;
use rayon::prelude::*;
use taceo_ark_algebra::{fft::powers, msm::msm_unchecked};
use zkwhirl_circuits::r1cs::Matrices;

use crate::native::keys::{read_g1, read_g2};

use super::{
    CeremonyError, Consistency, Powers, consistent,
    sections::{Sections, limbs, modulus, u32_at},
    start::Start,
};

/// A contribution without its parameters.
const CONTRIBUTION_BYTES: u64 = 64 * 3 + 128 + 64 + 8;
/// More do not fit the header of a key.
const MOST_CONTRIBUTIONS: u32 = 400;

/// A proving key of a ceremony, which fits a circuit.
#[derive(Debug)]
pub struct Zkey {
    pub(crate) key: ProvingKey<Bn254>,
    contributions: Vec<String>,
}

impl Zkey {
    /// Reads a key and checks it against a circuit: sizes, every coefficient
    /// of A and B, all points (on the curve, in the subgroup, at infinity only
    /// where a variable is unused), no secret number that everybody knows.
    ///
    /// The matrix C is in no `.zkey`: that the points are the circuit's is shown
    /// by [`Zkey::check_against`], and by a proof.
    pub fn read(path: &Path, matrices: &Matrices) -> Result<Self, CeremonyError> {
        let file = Sections::open(path, "zkey")?;
        let sizes = Sizes::of(matrices);
        let header = Header::read(&file, &sizes)?;
        check_coefficients(&file, matrices)?;
        let contributions = contributions(&file, header.delta_g1)?;
        let (g1, g2) = (G1Affine::generator(), G2Affine::generator());
        if Bn254::pairing(header.delta_g1, g2) != Bn254::pairing(g1, header.delta_g2) {
            return Err(file.refused("cannot be used: delta differs between G1 and G2"));
        }
        let (variables, instance) = (sizes.variables, sizes.instance);
        let odd = file.g1(9, 0, sizes.domain)?;
        let key = ProvingKey {
            vk: VerifyingKey {
                alpha_g1: header.alpha_g1,
                beta_g2: header.beta_g2,
                gamma_g2: header.gamma_g2,
                delta_g2: header.delta_g2,
                gamma_abc_g1: file.g1(3, 0, instance)?,
            },
            beta_g1: header.beta_g1,
            delta_g1: header.delta_g1,
            a_query: file.g1(5, 0, variables)?,
            b_g1_query: file.g1(6, 0, variables)?,
            b_g2_query: file.g2(7, 0, variables)?,
            l_query: file.g1(8, 0, variables - instance)?,
            // A tau of 1 makes these infinity: seen before the long way.
            h_query: match odd.iter().position(AffineRepr::is_zero) {
                None => h_query(&odd),
                Some(place) => {
                    return Err(file.refused(format!(
                        "has a point at infinity where none belongs, H {place}: tau is a root \
                         of unity"
                    )));
                }
            },
        };
        consistent(&parts(&key), matrices)
            .map_err(|problem| file.refused(format!("cannot be used: {problem}")))?;
        Ok(Self { key, contributions })
    }

    /// The hashes of the contributions, as snarkjs shows them: BLAKE2b,
    /// hexadecimal, oldest first.
    pub fn contributions(&self) -> &[String] {
        &self.contributions
    }

    /// Checks every point against the ceremony's first phase: what is left to
    /// trust is that one contributor of each phase forgot their secret.
    pub fn check_against(&self, matrices: &Matrices, powers: &Powers) -> Result<(), String> {
        let start = Start::new(matrices, powers);
        let key = &self.key;
        let first = matrices.num_instance;
        let g2 = G2Affine::generator();
        let divided = |points: &[G1Affine], undivided: &[G1Affine]| {
            let random: Vec<Fr> = points.iter().map(|_| Fr::rand(&mut OsRng)).collect();
            let [sum, whole] = [points, undivided].map(|points| msm_unchecked(points, &random));
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
                return Err(format!("its {what} are not those of these powers of tau"));
            }
        }
        Ok(())
    }
}

fn parts(key: &ProvingKey<Bn254>) -> Consistency<'_> {
    Consistency {
        alpha_g1: key.vk.alpha_g1,
        beta_g1: key.beta_g1,
        delta_g1: key.delta_g1,
        beta_g2: key.vk.beta_g2,
        gamma_g2: key.vk.gamma_g2,
        delta_g2: key.vk.delta_g2,
        a: &key.a_query,
        b_g1: &key.b_g1_query,
        b_g2: &key.b_g2_query,
        h: &key.h_query,
        l: &key.l_query,
    }
}

/// What the circuit demands.
struct Sizes {
    variables: u64,
    instance: u64,
    domain: u64,
}

impl Sizes {
    fn of(matrices: &Matrices) -> Self {
        Self {
            variables: (matrices.num_instance + matrices.num_witness) as u64,
            instance: matrices.num_instance as u64,
            domain: (matrices.num_rows + matrices.num_instance).next_power_of_two() as u64,
        }
    }
}

struct Header {
    alpha_g1: G1Affine,
    beta_g1: G1Affine,
    delta_g1: G1Affine,
    beta_g2: G2Affine,
    gamma_g2: G2Affine,
    delta_g2: G2Affine,
}

impl Header {
    fn read(file: &Sections, sizes: &Sizes) -> Result<Self, CeremonyError> {
        if file.whole(1, 4)? != 1u32.to_le_bytes() {
            return Err(file.refused("is no Groth16 key"));
        }
        let head = file.part(2, 0, 84)?;
        let moduli = [modulus::<Fq>(), modulus::<Fr>()].concat();
        if head[..72] != moduli {
            return Err(file.refused("is of another curve than BN254"));
        }
        for (what, at, must) in [
            ("variables", 72, sizes.variables),
            ("public inputs", 76, sizes.instance - 1),
            ("rows in its domain", 80, sizes.domain),
        ] {
            let got = u64::from(u32_at(&head, at));
            if got != must {
                return Err(file.refused(format!("has {got} {what}, the circuit has {must}")));
            }
        }
        // α and β in G1, β and γ in G2, δ in G1, δ in G2.
        let points = file.whole(2, 84 + 64 * 3 + 128 * 3)?;
        let g1 = |at: usize| {
            let point = read_g1(&points[at..at + 64]);
            point.map(|points| points[0])
        };
        let g2 = |at: usize| {
            let point = read_g2(&points[at..at + 128]);
            point.map(|points| points[0])
        };
        let read = || -> Result<Self, String> {
            Ok(Self {
                alpha_g1: g1(84)?,
                beta_g1: g1(148)?,
                beta_g2: g2(212)?,
                gamma_g2: g2(340)?,
                delta_g1: g1(468)?,
                delta_g2: g2(532)?,
            })
        };
        read().map_err(|problem| file.in_section(2, &problem))
    }
}

/// Compares the coefficients of A and B, and the rows that stand for the public
/// variables, with the circuit's.
fn check_coefficients(file: &Sections, matrices: &Matrices) -> Result<(), CeremonyError> {
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
    // The files hold k·R², which our own form takes for k·R.
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

/// Our H points, τ^k·Z(τ)/δ, from snarkjs' M_i = L_{2i+1}(τ)/δ, where L are the
/// Lagrange polynomials of the domain that is twice as large.
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

/// The hashes of the contributions; the last one must have led to this key.
fn contributions(file: &Sections, delta: G1Affine) -> Result<Vec<String>, CeremonyError> {
    let count = u32_at(&file.part(10, 64, 4)?, 0);
    if count == 0 {
        return Err(file.refused(
            "has no contributions: anybody can forge proofs under it; \
             snarkjs zkey contribute makes one",
        ));
    }
    if count > MOST_CONTRIBUTIONS {
        return Err(file.refused(format!("claims {count} contributions")));
    }
    let mut at = 68;
    let mut hashes = Vec::new();
    let mut last = None;
    for _ in 0..count {
        let bytes = file.part(10, at, CONTRIBUTION_BYTES)?;
        at += CONTRIBUTION_BYTES + u64::from(u32_at(&bytes, 388));
        let problem = |problem: String| file.in_section(10, &problem);
        let g1 = read_g1(&bytes[..192]).map_err(problem)?;
        let g2 = read_g2(&bytes[192..320]).map_err(problem)?;
        let mut hash = Blake2b512::new();
        for point in &g1 {
            hash.update(big_endian(&[point.x, point.y]));
        }
        for point in &g2 {
            let (x, y) = (point.x, point.y);
            hash.update(big_endian(&[x.c1, x.c0, y.c1, y.c0]));
        }
        hash.update(&bytes[320..384]);
        hashes.push(hex::encode(hash.finalize()));
        last = g1.first().copied();
    }
    if last != Some(delta) {
        return Err(file.refused("has another delta than its last contribution made"));
    }
    Ok(hashes)
}

fn big_endian(coordinates: &[Fq]) -> Vec<u8> {
    let numbers = coordinates.iter().map(|value| value.into_bigint());
    numbers.flat_map(|number| number.to_bytes_be()).collect()
}
