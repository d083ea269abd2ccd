//! Constraint matrices as a proving key stores them, and their products with
//! an assignment.
//!
//! The section contains nine counts as `u64` (public variables, private
//! variables, coefficients, then rows and entries of A, B and C), the
//! coefficients as raw field elements, and for each matrix its row ends,
//! columns and coefficient indices as `u32`; all little endian.

use ark_bn254::Fr;
use ark_ff::Zero;
use rayon::prelude::*;
use zkwhirl_circuits::r1cs::Matrices;
use zkwhirl_keystore::MappedBytes;

use super::{
    mapped::{Mapped, Raw},
    points::{FIELD_BYTES, write_fr},
};

/// The constraint matrices of a mapped key.
#[derive(Debug)]
pub(crate) struct MappedMatrices {
    pub(crate) a: MappedMatrix,
    pub(crate) b: MappedMatrix,
    /// In a satisfied row c is a·b. Other provers read it.
    pub(crate) c: MappedMatrix,
    coefficients: Mapped<Fr>,
    pub(crate) num_instance: usize,
    pub(crate) num_witness: usize,
    pub(crate) num_rows: usize,
}

/// One sparse matrix, stored by rows like [`zkwhirl_circuits::r1cs::Matrix`].
#[derive(Debug)]
pub(crate) struct MappedMatrix {
    ends: Mapped<u32>,
    columns: Mapped<u32>,
    coefficients: Mapped<u32>,
}

/// Encodes matrices as a key's section `matrices`.
pub(crate) fn to_bytes(matrices: &Matrices) -> Vec<u8> {
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

impl MappedMatrices {
    /// The size of the domain, for all rows and one more for each public variable.
    pub(crate) fn domain(&self) -> usize {
        (self.num_rows + self.num_instance).next_power_of_two()
    }

    /// The product of a matrix and an assignment, padded with zeros to `domain`.
    pub(crate) fn times(&self, matrix: &MappedMatrix, assignment: &[Fr], domain: usize) -> Vec<Fr> {
        let mut product = Vec::with_capacity(domain);
        (0..self.num_rows)
            .into_par_iter()
            .with_min_len(1024)
            .map(|row| {
                self.row(matrix, row)
                    .map(|(column, coefficient)| *coefficient * assignment[column as usize])
                    .sum::<Fr>()
            })
            .collect_into_vec(&mut product);
        product.resize(domain, Fr::zero());
        product
    }

    /// The `(column, coefficient)` entries of one row of `a`, `b` or `c`.
    pub(crate) fn row<'a>(
        &'a self,
        matrix: &'a MappedMatrix,
        row: usize,
    ) -> impl Iterator<Item = (u32, &'a Fr)> + 'a {
        let (ends, coefficients) = (&matrix.ends[..], &self.coefficients[..]);
        let start = row.checked_sub(1).map_or(0, |before| ends[before] as usize);
        let range = start..ends[row] as usize;
        let columns = matrix.columns[range.clone()].iter();
        let entries = columns.zip(&matrix.coefficients[range]);
        entries.map(|(column, place)| (*column, &coefficients[*place as usize]))
    }

    /// Views a key's section as matrices; `None` if the section's numbers do not fit
    /// together. In bytes with a checked digest, this means that another program
    /// wrote the section.
    pub(crate) fn new(section: &MappedBytes) -> Option<Self> {
        let mut rest = Rest { section, at: 0 };
        let mut counts = [0; 9];
        for count in &mut counts {
            let number = u64::from_le_bytes((*rest.take(8)?).try_into().ok()?);
            *count = usize::try_from(number).ok()?;
        }
        let [num_instance, num_witness, num_coefficients, ..] = counts;
        let coefficients = rest.list(num_coefficients, FIELD_BYTES)?;
        let mut matrix = |rows: usize, entries: usize| {
            Some(MappedMatrix {
                ends: rest.list(rows, 4)?,
                columns: rest.list(entries, 4)?,
                coefficients: rest.list(entries, 4)?,
            })
        };
        let a = matrix(counts[3], counts[4])?;
        let b = matrix(counts[5], counts[6])?;
        let c = matrix(counts[7], counts[8])?;
        let num_rows = a.ends.len();
        let variables = num_instance.checked_add(num_witness)?;
        let sound = |m: &MappedMatrix| m.is_sound(num_rows, variables, num_coefficients);
        let sound = rest.at == section.len() && sound(&a) && sound(&b) && sound(&c);
        sound.then_some(Self {
            a,
            b,
            c,
            coefficients,
            num_instance,
            num_witness,
            num_rows,
        })
    }
}

impl MappedMatrix {
    /// Whether every index is inside the list that it refers to.
    fn is_sound(&self, rows: usize, variables: usize, coefficients: usize) -> bool {
        let below = |list: &[u32], limit: usize| {
            let largest = list.iter().max();
            largest.is_none_or(|largest| (*largest as usize) < limit)
        };
        self.ends.len() == rows
            && self.ends.is_sorted()
            && self.ends.last().map_or(0, |end| *end as usize) == self.columns.len()
            && below(&self.columns, variables)
            && below(&self.coefficients, coefficients)
    }
}

/// The part of a section that was not read yet.
struct Rest<'a> {
    section: &'a MappedBytes,
    at: usize,
}

impl Rest<'_> {
    fn take(&mut self, bytes: usize) -> Option<MappedBytes> {
        let end = self.at.checked_add(bytes)?;
        let part = self.section.part(self.at..end)?;
        self.at = end;
        Some(part)
    }

    fn list<T: Raw>(&mut self, count: usize, each: usize) -> Option<Mapped<T>> {
        Mapped::new(self.take(count.checked_mul(each)?)?)
    }
}
