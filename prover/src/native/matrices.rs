//! Constraint matrices as a proving key stores them, and their products with
//! an assignment.
//!
//! The section holds nine counts as `u64` (public variables, private
//! variables, coefficients, then rows and entries of A, B and C), the
//! coefficients as raw field elements, and for each matrix its row ends,
//! columns and coefficient indices as `u32`; all little endian.

use ark_bn254::Fr;
use ark_ff::Zero;
use rayon::prelude::*;
use zkwhirl_circuits::r1cs::{Matrices, Matrix};

use super::points::{FIELD_BYTES, read_fr, write_fr};

/// A matrix times the assignment, padded with zeros to `domain`.
pub(super) fn times(
    matrices: &Matrices,
    matrix: &Matrix,
    assignment: &[Fr],
    domain: usize,
) -> Vec<Fr> {
    let mut product = Vec::with_capacity(domain);
    (0..matrices.num_rows)
        .into_par_iter()
        .with_min_len(1024)
        .map(|row| {
            matrices
                .row(matrix, row)
                .map(|(column, coefficient)| *coefficient * assignment[column as usize])
                .sum::<Fr>()
        })
        .collect_into_vec(&mut product);
    product.resize(domain, Fr::zero());
    product
}

pub(super) fn to_bytes(matrices: &Matrices) -> Vec<u8> {
    let all = [&matrices.a, &matrices.b, &matrices.c];
    let mut out = Vec::new();
    let mut count = |count: usize| out.extend((count as u64).to_le_bytes());
    count(matrices.num_instance);
    count(matrices.num_witness);
    count(matrices.coefficients.len());
    for matrix in all {
        count(matrix.ends.len());
        count(matrix.columns.len());
    }
    for coefficient in &matrices.coefficients {
        write_fr(coefficient, &mut out);
    }
    for list in all
        .iter()
        .flat_map(|m| [&m.ends, &m.columns, &m.coefficients])
    {
        for number in list {
            out.extend(number.to_le_bytes());
        }
    }
    out
}

/// Reads the section; `None` when its numbers do not fit together. The section
/// was checked against its digest, so this guards against another format, not
/// against an attacker.
pub(super) fn parse(bytes: &[u8]) -> Option<Matrices> {
    let mut rest = bytes;
    let mut counts = [0; 9];
    for count in &mut counts {
        let number = u64::from_le_bytes(take(&mut rest, 8)?.try_into().ok()?);
        *count = usize::try_from(number).ok()?;
    }
    let [num_instance, num_witness, num_coefficients, ..] = counts;
    let coefficients: Vec<Fr> = take(&mut rest, num_coefficients.checked_mul(FIELD_BYTES)?)?
        .chunks_exact(FIELD_BYTES)
        .map(read_fr)
        .collect();
    let mut matrix = |rows: usize, entries: usize| {
        Some(Matrix {
            ends: numbers(&mut rest, rows)?,
            columns: numbers(&mut rest, entries)?,
            coefficients: numbers(&mut rest, entries)?,
        })
    };
    let a = matrix(counts[3], counts[4])?;
    let b = matrix(counts[5], counts[6])?;
    let c = matrix(counts[7], counts[8])?;
    let num_rows = a.ends.len();
    let variables = num_instance.checked_add(num_witness)?;
    let sound = |m: &Matrix| {
        m.ends.len() == num_rows
            && m.ends.is_sorted()
            && m.ends.last().map_or(0, |end| *end as usize) == m.columns.len()
            && m.columns.iter().all(|c| (*c as usize) < variables)
            && m.coefficients
                .iter()
                .all(|k| (*k as usize) < num_coefficients)
    };
    (rest.is_empty() && sound(&a) && sound(&b) && sound(&c)).then_some(Matrices {
        a,
        b,
        c,
        coefficients,
        num_instance,
        num_witness,
        num_rows,
    })
}

fn take<'a>(rest: &mut &'a [u8], bytes: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(bytes)?;
    *rest = left;
    Some(taken)
}

fn numbers(rest: &mut &[u8], count: usize) -> Option<Vec<u32>> {
    let bytes = take(rest, count.checked_mul(4)?)?;
    Some(
        bytes
            .chunks_exact(4)
            .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect(),
    )
}
