//! The builder that circuit code runs against.

use std::collections::HashMap;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};

use super::matrices::MatrixStore;
use super::{Assignment, Bit, Matrices, NUM_INSTANCE, Num};

/// What a run of the circuit's code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Count rows per part; no values.
    Count,
    /// Compute the values of all variables.
    Witness,
    /// Compute values and check each row against them, storing no row.
    Check,
    /// Store the rows; no values.
    Matrices,
    /// Compute values, check rows and store them.
    #[cfg(test)]
    Full,
}

impl Mode {
    fn has_values(self) -> bool {
        !matches!(self, Self::Count | Self::Matrices)
    }

    fn has_terms(self) -> bool {
        !matches!(self, Self::Count | Self::Witness)
    }

    fn stores(self) -> bool {
        !matches!(self, Self::Count | Self::Witness | Self::Check)
    }
}

/// A row that the witness does not satisfy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("row {row} of {part} is not satisfied")]
pub struct Unsatisfied {
    /// The row's number.
    pub row: usize,
    /// The part of the circuit that it belongs to.
    pub part: &'static str,
}

/// Collects variables and rows.
#[derive(Debug)]
pub struct Builder {
    mode: Mode,
    values: Assignment,
    num_witness: usize,
    num_rows: usize,
    parts: Vec<(&'static str, usize)>,
    part: usize,
    store: Option<MatrixStore>,
    unsatisfied: Vec<Unsatisfied>,
    /// Rows of gadgets that were counted once.
    counted: HashMap<&'static str, usize>,
}

/// How many unsatisfied rows are kept: enough to see a pattern.
const MAX_REPORTED: usize = 32;

impl Builder {
    /// A builder without variables, except the two of the instance.
    pub fn new(mode: Mode) -> Self {
        let store = mode.stores().then(MatrixStore::new);
        Self {
            mode,
            values: Assignment {
                instance: vec![Fr::ONE, Fr::ZERO],
                witness: Vec::new(),
            },
            num_witness: 0,
            num_rows: 0,
            parts: vec![("other", 0)],
            part: 0,
            store,
            unsatisfied: Vec::new(),
            counted: HashMap::new(),
        }
    }

    /// Whether values matter in this run; costly hints need not be computed otherwise.
    pub(crate) fn has_values(&self) -> bool {
        self.mode.has_values()
    }

    /// Whether combinations are kept in this run.
    pub(crate) fn has_terms(&self) -> bool {
        self.mode.has_terms()
    }

    /// Runs `body` with its rows accounted to a part of the circuit.
    pub(crate) fn part<T>(&mut self, name: &'static str, body: impl FnOnce(&mut Self) -> T) -> T {
        let index = self.parts.iter().position(|(known, _)| *known == name);
        let outer = self.part;
        self.part = index.unwrap_or_else(|| {
            self.parts.push((name, 0));
            self.parts.len() - 1
        });
        let result = body(self);
        self.part = outer;
        result
    }

    /// Runs `body`, except while rows are only counted: then only for the first
    /// of a `name`, and its rows are added again for the others. `name` must
    /// stand for bodies of equally many rows, which give a variable.
    pub(crate) fn gadget(
        &mut self,
        name: &'static str,
        body: impl FnOnce(&mut Self) -> Num,
    ) -> Num {
        if self.mode != Mode::Count {
            return body(self);
        }
        if let Some(rows) = self.counted.get(name) {
            self.num_rows += rows;
            self.parts[self.part].1 += rows;
            return Num::opaque(Fr::ZERO);
        }
        let before = self.num_rows;
        let result = body(self);
        self.counted.insert(name, self.num_rows - before);
        result
    }

    /// A new witness variable.
    pub fn alloc(&mut self, value: Fr) -> Num {
        let index = self.num_witness + NUM_INSTANCE;
        self.num_witness += 1;
        if self.has_values() {
            self.values.witness.push(value);
        }
        Num::variable(value, self.has_terms().then_some(index as u32))
    }

    /// A new variable that a row forces to be 0 or 1.
    pub(crate) fn alloc_bit(&mut self, value: bool) -> Bit {
        let bit = self.alloc(Fr::from(value));
        self.enforce(&bit, &bit, &bit);
        Bit::assert_boolean(bit)
    }

    /// One row: `a·b = c`.
    pub fn enforce(&mut self, a: &Num, b: &Num, c: &Num) {
        let checks = self.has_values() && self.has_terms();
        if checks && self.evaluate(a) * self.evaluate(b) != self.evaluate(c) {
            self.report();
        }
        if let Some(store) = &mut self.store {
            store.push(a, b, c);
        }
        self.num_rows += 1;
        self.parts[self.part].1 += 1;
    }

    /// One row: a value is zero where the condition is not.
    pub(crate) fn zero_where(&mut self, condition: &Num, value: &Num) {
        self.enforce(condition, value, &Num::zero());
    }

    /// One row: `a = b`.
    pub(crate) fn equal(&mut self, a: &Num, b: &Num) {
        self.enforce(&(a - b), &Num::one(), &Num::zero());
    }

    /// The product, as a variable unless a factor is a constant.
    pub fn mul(&mut self, a: &Num, b: &Num) -> Num {
        if a.is_constant() {
            return b.scale(a.value());
        }
        if b.is_constant() {
            return a.scale(b.value());
        }
        let product = self.alloc(a.value() * b.value());
        self.enforce(a, b, &product);
        product
    }

    /// `bit ? a : b`; one row.
    pub(crate) fn select(&mut self, bit: &Bit, a: &Num, b: &Num) -> Num {
        b + &self.mul(bit.num(), &(a - b))
    }

    /// Both bits.
    pub(crate) fn and(&mut self, a: &Bit, b: &Bit) -> Bit {
        Bit::assert_boolean(self.mul(a.num(), b.num()))
    }

    /// Either bit.
    pub(crate) fn or(&mut self, a: &Bit, b: &Bit) -> Bit {
        let both = self.mul(a.num(), b.num());
        Bit::assert_boolean(&(a.num() + b.num()) - &both)
    }

    /// Makes a combination the statement's public input.
    pub fn publish(&mut self, public: &Num) {
        self.values.instance[1] = public.value();
        let variable = Num::variable(public.value(), self.has_terms().then_some(1));
        self.equal(public, &variable);
    }

    /// Rows so far.
    pub fn num_rows(&self) -> usize {
        self.num_rows
    }

    /// Rows per part, in the order in which the parts first appeared.
    pub(crate) fn rows_by_part(&self) -> Vec<(&'static str, usize)> {
        let parts = self.parts.iter().copied();
        parts.filter(|(_, rows)| *rows != 0).collect()
    }

    /// Rows found not to hold, up to a few; empty unless this run checks.
    pub(crate) fn unsatisfied(&self) -> &[Unsatisfied] {
        &self.unsatisfied
    }

    /// The values of all variables.
    pub fn into_assignment(self) -> Assignment {
        self.values
    }

    /// The rows; empty unless this run stored them.
    pub fn into_matrices(self) -> Matrices {
        let (num_witness, num_rows) = (self.num_witness, self.num_rows);
        let rows = self.store.map(|store| store.finish(num_witness, num_rows));
        rows.unwrap_or_default()
    }

    /// Evaluates from the variables, not from the value that the gadgets
    /// carried along: a check must not believe what it checks.
    fn evaluate(&self, num: &Num) -> Fr {
        let mut sum = num.offset();
        for (column, k) in num.terms() {
            let value = self.values.at(*column);
            sum += if *k == Fr::ONE { value } else { value * k };
        }
        sum
    }

    fn report(&mut self) {
        if self.unsatisfied.len() < MAX_REPORTED {
            let (row, part) = (self.num_rows, self.parts[self.part].0);
            self.unsatisfied.push(Unsatisfied { row, part });
        }
    }
}
