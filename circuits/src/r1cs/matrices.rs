//! The stored constraint system, and the values of its variables.

use std::collections::HashMap;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};

use super::{NUM_INSTANCE, Num};
use crate::field;

/// One sparse matrix, row by row. Coefficients are indexes into a shared table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matrix {
    /// `ends[i]` is the end of row `i` in `columns` and `coefficients`.
    pub ends: Vec<u32>,
    /// Columns: instance variables first, then witness variables.
    pub columns: Vec<u32>,
    /// Indexes into [`Matrices::coefficients`].
    pub coefficients: Vec<u32>,
}

/// The three matrices of a circuit: row `i` requires `(A·z)_i · (B·z)_i =
/// (C·z)_i` for `z` = instance followed by witness.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matrices {
    /// The matrix A, of the left factors.
    pub a: Matrix,
    /// The matrix B, of the right factors.
    pub b: Matrix,
    /// The matrix C, of the products.
    pub c: Matrix,
    /// The coefficients of all matrices, each once; 1 and −1 come first.
    pub coefficients: Vec<Fr>,
    /// Number of instance variables, the constant 1 included.
    pub num_instance: usize,
    /// Number of witness variables.
    pub num_witness: usize,
    /// Number of rows (constraints).
    pub num_rows: usize,
}

/// The values of all variables of a circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The instance variables: the constant 1, then the public input.
    pub instance: Vec<Fr>,
    /// The witness variables.
    pub witness: Vec<Fr>,
}

impl Matrix {
    /// Returns the number of non-zero entries in the three matrices.
    pub fn entries(&self) -> usize {
        self.columns.len()
    }

    fn range(&self, row: usize) -> std::ops::Range<usize> {
        let start = row
            .checked_sub(1)
            .map_or(0, |before| self.ends[before] as usize);
        start..self.ends[row] as usize
    }

    fn hash_into(&self, hasher: &mut blake3::Hasher) {
        for list in [&self.ends, &self.columns, &self.coefficients] {
            hasher.update(&(list.len() as u64).to_le_bytes());
            for chunk in list.chunks(1 << 12) {
                let bytes: Vec<u8> = chunk.iter().flat_map(|x| x.to_le_bytes()).collect();
                hasher.update(&bytes);
            }
        }
    }
}

impl Matrices {
    /// Returns the `(column, coefficient)` entries of one row of `a`, `b` or `c`.
    pub fn row<'a>(
        &'a self,
        matrix: &'a Matrix,
        row: usize,
    ) -> impl Iterator<Item = (u32, &'a Fr)> + 'a {
        let range = matrix.range(row);
        let entries = matrix.columns[range.clone()]
            .iter()
            .zip(&matrix.coefficients[range]);
        entries.map(|(column, k)| (*column, &self.coefficients[*k as usize]))
    }

    /// Returns the value of one row of a matrix under an assignment.
    #[cfg(test)]
    pub(crate) fn dot(&self, matrix: &Matrix, row: usize, values: &Assignment) -> Fr {
        let terms = self.row(matrix, row);
        terms.map(|(column, k)| *k * values.at(column)).sum()
    }

    /// Returns the first row that the assignment does not satisfy.
    #[cfg(test)]
    pub(crate) fn first_unsatisfied(&self, values: &Assignment) -> Option<usize> {
        (0..self.num_rows).find(|row| !self.holds(*row, values))
    }

    /// Returns whether the assignment satisfies a row.
    #[cfg(test)]
    pub(crate) fn holds(&self, row: usize, values: &Assignment) -> bool {
        let [a, b, c] = [&self.a, &self.b, &self.c].map(|m| self.dot(m, row, values));
        a * b == c
    }

    /// Returns the BLAKE3 of the canonical encoding: equal digests mean equal systems.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"zkwhirl-r1cs-v1");
        for size in [
            self.num_instance,
            self.num_witness,
            self.num_rows,
            self.coefficients.len(),
        ] {
            hasher.update(&(size as u64).to_le_bytes());
        }
        for coefficient in &self.coefficients {
            hasher.update(&field::to_word(coefficient));
        }
        for matrix in [&self.a, &self.b, &self.c] {
            matrix.hash_into(&mut hasher);
        }
        hasher.finalize().into()
    }
}

impl Assignment {
    /// Returns the value of the variable in a column.
    pub fn at(&self, column: u32) -> Fr {
        let column = column as usize;
        match column.checked_sub(self.instance.len()) {
            None => self.instance[column],
            Some(witness) => self.witness[witness],
        }
    }
}

/// The matrices while rows are being added.
#[derive(Debug)]
pub(super) struct MatrixStore {
    matrices: Matrices,
    known: HashMap<Fr, u32>,
}

impl MatrixStore {
    pub(super) fn new() -> Self {
        let coefficients = vec![Fr::ONE, -Fr::ONE];
        let known = coefficients.iter().copied().zip(0..).collect();
        Self {
            matrices: Matrices {
                coefficients,
                ..Matrices::default()
            },
            known,
        }
    }

    pub(super) fn push(&mut self, a: &Num, b: &Num, c: &Num) {
        let Matrices {
            a: left,
            b: right,
            c: out,
            coefficients,
            ..
        } = &mut self.matrices;
        for (matrix, num) in [(left, a), (right, b), (out, c)] {
            let offset = (num.offset() != Fr::ZERO).then_some((0, num.offset()));
            for (column, k) in offset.into_iter().chain(num.terms().iter().copied()) {
                let index = if k == Fr::ONE {
                    0
                } else {
                    *self.known.entry(k).or_insert_with(|| {
                        coefficients.push(k);
                        coefficients.len() as u32 - 1
                    })
                };
                matrix.columns.push(column);
                matrix.coefficients.push(index);
            }
            matrix.ends.push(matrix.columns.len() as u32);
        }
    }

    pub(super) fn finish(mut self, num_witness: usize, num_rows: usize) -> Matrices {
        self.matrices.num_instance = NUM_INSTANCE;
        self.matrices.num_witness = num_witness;
        self.matrices.num_rows = num_rows;
        self.matrices
    }
}
