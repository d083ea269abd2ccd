//! The builder to which circuit code adds variables and rows (constraints).

use std::collections::HashMap;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};

use super::matrices::MatrixStore;
use super::{Assignment, Bit, Matrices, NUM_INSTANCE, Num};

/// The purpose of a run of the circuit's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Counts rows per part; computes no values.
    Count,
    /// Computes the values of all variables.
    Witness,
    /// Computes values and checks each row against them; stores no row.
    Check,
    /// Stores the rows; computes no values.
    Matrices,
    /// Computes values, checks rows and stores them.
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

/// A row (constraint) that the witness does not satisfy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("row (constraint) {row} in the part {part:?} is not satisfied")]
pub struct Unsatisfied {
    /// The row's index, from 0.
    pub row: usize,
    /// The name of the row's part of the circuit.
    pub part: &'static str,
}

/// The variables and rows of a circuit while its code runs.
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
    /// The numbers of rows of gadgets that were counted once.
    counted: HashMap<&'static str, usize>,
}

/// How many unsatisfied rows are kept: enough to see a pattern.
const MAX_REPORTED: usize = 32;

impl Builder {
    /// Creates a builder whose only variables are the two instance variables.
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

    /// Returns whether this run uses values. If not, costly hints need not be computed.
    pub(crate) fn has_values(&self) -> bool {
        self.mode.has_values()
    }

    /// Returns whether this run keeps linear combinations.
    pub(crate) fn has_terms(&self) -> bool {
        self.mode.has_terms()
    }

    /// Runs `body` and counts its rows in the part `name` of the circuit.
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

    /// Runs `body`. A run that only counts rows executes the first `body` of a
    /// `name` and adds its number of rows again for the others. All bodies of a
    /// `name` must have equally many rows and return a variable.
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

    /// Allocates a witness variable.
    pub fn alloc(&mut self, value: Fr) -> Num {
        let index = self.num_witness + NUM_INSTANCE;
        self.num_witness += 1;
        if self.has_values() {
            self.values.witness.push(value);
        }
        Num::variable(value, self.has_terms().then_some(index as u32))
    }

    /// Allocates a variable that a row forces to be 0 or 1.
    pub(crate) fn alloc_bit(&mut self, value: bool) -> Bit {
        let bit = self.alloc(Fr::from(value));
        self.enforce(&bit, &bit, &bit);
        Bit::assert_boolean(bit)
    }

    /// Enforces `a·b = c`: one row.
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

    /// Enforces that `value` is zero if `condition` is not zero: one row.
    pub(crate) fn zero_where(&mut self, condition: &Num, value: &Num) {
        self.enforce(condition, value, &Num::zero());
    }

    /// Enforces `a = b`: one row.
    pub(crate) fn equal(&mut self, a: &Num, b: &Num) {
        self.enforce(&(a - b), &Num::one(), &Num::zero());
    }

    /// Returns the product: a new variable, or no variable if a factor is a constant.
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

    /// Returns `bit ? a : b`: one row.
    pub(crate) fn select(&mut self, bit: &Bit, a: &Num, b: &Num) -> Num {
        b + &self.mul(bit.num(), &(a - b))
    }

    /// Returns whether both bits are set.
    pub(crate) fn and(&mut self, a: &Bit, b: &Bit) -> Bit {
        Bit::assert_boolean(self.mul(a.num(), b.num()))
    }

    /// Returns whether at least one bit is set.
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

    /// Returns the number of rows so far.
    pub fn num_rows(&self) -> usize {
        self.num_rows
    }

    /// Returns the number of rows per part, in the order of the parts' first rows.
    pub(crate) fn rows_by_part(&self) -> Vec<(&'static str, usize)> {
        let parts = self.parts.iter().copied();
        parts.filter(|(_, rows)| *rows != 0).collect()
    }

    /// Returns the first unsatisfied rows; empty unless this run checks rows.
    pub(crate) fn unsatisfied(&self) -> &[Unsatisfied] {
        &self.unsatisfied
    }

    /// Returns the values of all variables.
    pub fn into_assignment(self) -> Assignment {
        self.values
    }

    /// Returns the rows; empty unless this run stored them.
    pub fn into_matrices(self) -> Matrices {
        let (num_witness, num_rows) = (self.num_witness, self.num_rows);
        let rows = self.store.map(|store| store.finish(num_witness, num_rows));
        rows.unwrap_or_default()
    }

    /// Evaluates a combination from the variables, not from its carried value:
    /// a check must not trust the value that it checks.
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
