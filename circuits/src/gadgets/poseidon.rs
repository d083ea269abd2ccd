//! Poseidon in rows: 240 for two inputs.

use ark_bn254::Fr;

use crate::poseidon::{Constants, constants, fifth_power};
use crate::r1cs::{Builder, Num};

/// The hash of 1 to 12 values. Inputs that are constants cost nothing in the
/// first round.
pub(crate) fn hash(b: &mut Builder, inputs: &[Num]) -> Num {
    let constants = constants(inputs.len());
    let mut state = vec![Num::zero()];
    state.extend_from_slice(inputs);
    let rounds = constants.half_full * 2 + constants.partial;
    for (round, keys) in constants
        .round
        .chunks_exact(constants.width)
        .enumerate()
        .take(rounds)
    {
        let partial =
            (constants.half_full..constants.half_full + constants.partial).contains(&round);
        let keyed: Vec<Num> = state
            .iter()
            .zip(keys)
            .map(|(s, key)| s.plus(*key))
            .collect();
        state = if partial {
            partial_round(b, constants, &keyed)
        } else {
            let powers: Vec<Num> = keyed.iter().map(|x| power(b, x)).collect();
            constants.mds.iter().map(|row| mix(row, &powers)).collect()
        };
    }
    state.swap_remove(0)
}

fn mix(row: &[Fr], state: &[Num]) -> Num {
    Num::weighted_sum(row.iter().copied().zip(state))
}

/// `x^5`: three rows.
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

/// One S-box, on element 0.
///
/// The variable is the round's *output* element 0, and the S-box's output is
/// written as a combination of it and of the other elements. The next S-box
/// then reads a single variable, and the long combinations that partial
/// rounds pile up stand only on the product side of one row in three.
fn partial_round(b: &mut Builder, constants: &Constants, state: &[Num]) -> Vec<Num> {
    let first = &constants.mds[0];
    let rest = mix(&first[1..], &state[1..]);
    let fourth = fourth_power(b, &state[0]);
    let output = b.alloc(first[0] * fourth.value() * state[0].value() + rest.value());
    let fifth = (&output - &rest).scale(constants.mds_corner_inverse);
    b.enforce(&fourth, &state[0], &fifth);
    let mut inputs = vec![fifth];
    inputs.extend_from_slice(&state[1..]);
    let mut next = vec![output];
    next.extend(constants.mds[1..].iter().map(|row| mix(row, &inputs)));
    next
}
