//! Poseidon as rows (constraints): 240 rows for two inputs.

use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};

use crate::poseidon::{Constants, MAX_INPUTS, constants, fifth_power};
use crate::r1cs::{Builder, Num};

/// Returns the hash of 1 to 12 values. Constant inputs take no rows in the
/// first round.
pub(crate) fn hash(b: &mut Builder, inputs: &[Num]) -> Num {
    let constants = constants(inputs.len());
    let mut state = vec![Num::zero()];
    state.extend_from_slice(inputs);
    let (all, partial) = (constants.rounds(), constants.partial_rounds());
    for keys in constants.keys(all.start..partial.start) {
        state = full_round(b, constants, keys, &state);
    }
    state = partial_rounds(b, constants, &state);
    for keys in constants.keys(partial.end..all.end) {
        state = full_round(b, constants, keys, &state);
    }
    state.swap_remove(0)
}

/// Applies the S-box to every element.
fn full_round(b: &mut Builder, constants: &Constants, keys: &[Fr], state: &[Num]) -> Vec<Num> {
    let keyed = state.iter().zip(keys).map(|(s, key)| s.plus(*key));
    let powers: Vec<Num> = keyed.map(|x| power(b, &x)).collect();
    let mix = |row: &Vec<Fr>| Num::weighted_sum(row.iter().copied().zip(&powers));
    constants.mds.iter().map(mix).collect()
}

/// Returns `x^5`: three rows.
fn power(b: &mut Builder, x: &Num) -> Num {
    if x.is_constant() {
        return Num::constant(fifth_power(x.value()));
    }
    let fourth = fourth_power(b, x);
    b.mul(&fourth, x)
}

fn fourth_power(b: &mut Builder, x: &Num) -> Num {
    let square = b.mul(x, x);
    b.mul(&square, &square)
}

/// Applies the partial rounds, which have one S-box each, on element 0.
///
/// The variable of a round is its *output* element 0; the S-box's output is a
/// combination of this variable and of the other elements. The next S-box
/// therefore reads a single variable, and the long combinations of these rounds
/// stand only on the product side of one row in three. The combinations are the
/// same for every hash and are computed once, see [`Unrolled`].
fn partial_rounds(b: &mut Builder, constants: &Constants, state: &[Num]) -> Vec<Num> {
    let unrolled = unrolled(constants);
    let mut values: Vec<Fr> = state.iter().map(Num::value).collect();
    let mut basis = vec![Num::one()];
    basis.extend_from_slice(&state[1..]);
    let mut element = state[0].clone();
    let rounds = constants.keys(constants.partial_rounds());
    for (keys, fifth) in rounds.zip(&unrolled.fifths) {
        let x = element.plus(keys[0]);
        values
            .iter_mut()
            .zip(keys)
            .for_each(|(value, key)| *value += key);
        values[0] = fifth_power(values[0]);
        let fourth = fourth_power(b, &x);
        let fifth_value = values[0];
        values = constants.mixed(&values);
        element = b.alloc(values[0]);
        basis.push(element.clone());
        let fifth = combine(b, fifth, &basis, fifth_value);
        b.enforce(&fourth, &x, &fifth);
    }
    let rest = unrolled.rest.iter().zip(&values[1..]);
    let rest = rest.map(|(row, value)| combine(b, row, &basis, *value));
    std::iter::once(element.clone()).chain(rest).collect()
}

/// Returns a combination of the basis with a known value.
fn combine(b: &Builder, row: &[Fr], basis: &[Num], value: Fr) -> Num {
    if b.has_terms() {
        Num::weighted_sum(row.iter().copied().zip(basis))
    } else {
        Num::opaque(value)
    }
}

/// The partial rounds as combinations of a basis: 1, the other elements before
/// the first partial round, then element 0 after each round.
struct Unrolled {
    /// The S-box's output in each round.
    fifths: Vec<Vec<Fr>>,
    /// The other elements after the last round.
    rest: Vec<Vec<Fr>>,
}

fn unrolled(constants: &Constants) -> &'static Unrolled {
    static CACHE: [OnceLock<Unrolled>; MAX_INPUTS + 2] =
        [const { OnceLock::new() }; MAX_INPUTS + 2];
    CACHE[constants.width].get_or_init(|| Unrolled::new(constants))
}

impl Unrolled {
    fn new(constants: &Constants) -> Self {
        let rounds = constants.partial_rounds();
        let size = constants.width + rounds.len();
        let unit = |at: usize| {
            let mut row = vec![Fr::ZERO; size];
            row[at] = Fr::ONE;
            row
        };
        let corner = &constants.mds[0];
        let inverse = corner[0]
            .inverse()
            .expect("an MDS matrix has no zero entry");
        let mut rest: Vec<Vec<Fr>> = (1..constants.width).map(unit).collect();
        let mut fifths = Vec::new();
        for (round, keys) in constants.keys(rounds).enumerate() {
            rest.iter_mut()
                .zip(&keys[1..])
                .for_each(|(row, key)| row[0] += key);
            // output = corner₀·fifth + Σ cornerⱼ·restⱼ, solved for fifth.
            let mut fifth = unit(constants.width + round);
            for (row, k) in rest.iter().zip(&corner[1..]) {
                add_scaled(&mut fifth, row, -*k);
            }
            fifth.iter_mut().for_each(|k| *k *= inverse);
            let mixed = constants.mds[1..].iter().map(|mds| {
                let mut row: Vec<Fr> = fifth.iter().map(|k| *k * mds[0]).collect();
                rest.iter()
                    .zip(&mds[1..])
                    .for_each(|(old, k)| add_scaled(&mut row, old, *k));
                row
            });
            let mixed = mixed.collect();
            fifths.push(fifth);
            rest = mixed;
        }
        Self { fifths, rest }
    }
}

fn add_scaled(row: &mut [Fr], other: &[Fr], factor: Fr) {
    row.iter_mut()
        .zip(other)
        .for_each(|(to, from)| *to += *from * factor);
}
