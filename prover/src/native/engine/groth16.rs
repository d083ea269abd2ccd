//! Groth16 over BN254 from stored matrices: the prover's arithmetic.
//!
//! The proof is the one that `ark_groth16::Groth16::prove` makes (Groth 2016,
//! section 3.2, with libsnark's reduction to a QAP), computed from matrices
//! that were built once: sums of points and the quotient are `zkwhirl-msm`'s.
//! `ark_groth16` makes the keys and verifies.

use std::sync::atomic::{AtomicU32, Ordering};

use ark_bn254::{Bn254, Fr, G1Affine, G1Projective, G2Projective};
use ark_ec::CurveGroup;
use ark_groth16::Proof;
use zkwhirl_circuits::r1cs::Assignment;
use zkwhirl_msm::{Arithmetic, Scalars};

use crate::native::keys::{MappedMatrices, Queries};

/// The quotient's share of a proof's time (measured: 0.15 to 0.25).
const QUOTIENT: f32 = 0.2;
/// A sum in G2 takes as long as so many in G1 (measured: 2 to 2.5).
const G2_SUM: u32 = 2;
/// All sums of a proof, in sums of G1.
const ALL_SUMS: u32 = G2_SUM + 4;

/// An assignment or a key that does not fit the matrices.
#[derive(Debug, thiserror::Error)]
#[error("{what} has {got} elements, the circuit needs {must}")]
pub struct SizeMismatch {
    what: &'static str,
    got: usize,
    must: usize,
}

/// Proves that `assignment` satisfies `matrices`. `r` and `s` must be fresh
/// random numbers.
///
/// `step` is called with the fraction of the work that is done, 0 to 1.
pub(crate) fn prove(
    queries: &Queries,
    matrices: &MappedMatrices,
    assignment: &Assignment,
    [r, s]: [Fr; 2],
    step: &(dyn Fn(f32) + Sync),
) -> Result<Proof<Bn254>, SizeMismatch> {
    let assignment = &[&assignment.instance[..], &assignment.witness].concat();
    let variables = matrices.num_instance + matrices.num_witness;
    for (what, got, must) in [
        ("the assignment", assignment.len(), variables),
        ("the key's A query", queries.a.len(), variables),
        ("the key's B query", queries.b_g1.len(), variables),
        ("the key's B query in G2", queries.b_g2.len(), variables),
        ("the key's L query", queries.l.len(), matrices.num_witness),
    ] {
        if got != must {
            return Err(SizeMismatch { what, got, must });
        }
    }
    let arithmetic = Arithmetic::detect();
    let quotient = quotient(arithmetic, matrices, assignment)?;
    if quotient.len() != queries.h.len() + 1 {
        return Err(SizeMismatch {
            what: "the key's H query",
            got: queries.h.len(),
            must: quotient.len() - 1,
        });
    }
    step(QUOTIENT);
    let done = AtomicU32::new(0);
    let count = |work: u32| {
        let done = work + done.fetch_add(work, Ordering::Relaxed);
        step(QUOTIENT + (1.0 - QUOTIENT) * done as f32 / ALL_SUMS as f32);
    };
    let (factors, quotient) = rayon::join(
        || Scalars::new(assignment),
        || Scalars::new(&quotient[..queries.h.len()]),
    );
    let g1 = |factors: &Scalars, points: &[G1Affine]| -> G1Projective {
        let sum = arithmetic.sum(points, factors);
        count(1);
        sum
    };
    // All at once: each sum has serial ends, which the others fill.
    let (b_g2, ((a, b_g1), (l, h))) = rayon::join(
        || -> G2Projective {
            let sum = arithmetic.sum(&queries.b_g2, &factors);
            count(G2_SUM);
            sum
        },
        || {
            rayon::join(
                || rayon::join(|| g1(&factors, &queries.a), || g1(&factors, &queries.b_g1)),
                || rayon::join(|| g1(&factors, &queries.l), || g1(&quotient, &queries.h)),
            )
        },
    );
    let a = a + queries.alpha_g1 + queries.delta_g1 * r;
    let b_g1 = b_g1 + queries.beta_g1 + queries.delta_g1 * s;
    let b_g2 = b_g2 + queries.beta_g2 + queries.delta_g2 * s;
    let c = a * s + b_g1 * r - queries.delta_g1 * (r * s) + l + h;
    Ok(Proof {
        a: a.into_affine(),
        b: b_g2.into_affine(),
        c: c.into_affine(),
    })
}

/// The coefficients of h = (A·B − C) / Z, of a domain that has all rows.
fn quotient(
    arithmetic: Arithmetic,
    matrices: &MappedMatrices,
    assignment: &[Fr],
) -> Result<Vec<Fr>, SizeMismatch> {
    let (rows, domain) = (matrices.num_rows, matrices.domain());
    let mut a = matrices.times(&matrices.a, assignment, domain);
    // libsnark's reduction adds a row per public variable, so that no
    // combination of the others can stand in for one.
    a[rows..rows + matrices.num_instance].copy_from_slice(&assignment[..matrices.num_instance]);
    let b = matrices.times(&matrices.b, assignment, domain);
    // Of an assignment that satisfies every row, c is a·b; of any other one, no
    // proof holds.
    let quotient = arithmetic.quotient(a, b);
    quotient.ok_or(SizeMismatch {
        what: "the smallest domain of a proof",
        got: domain,
        must: 16,
    })
}
