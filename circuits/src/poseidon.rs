//! Poseidon over the BN254 scalar field with circomlib's parameters.
//!
//! The state starts as `[0, inputs…]`, and the hash is element 0 of the final state. The
//! parameters come from `light-poseidon` and are computed once per width.

use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use light_poseidon::PoseidonParameters;
use light_poseidon::parameters::bn254_x5::get_poseidon_parameters;

/// The most inputs of one hash.
pub(crate) const MAX_INPUTS: usize = 12;

/// The constants for one state width.
pub(crate) struct Constants {
    /// Width of the state: number of inputs + 1.
    pub(crate) width: usize,
    /// Number of full rounds before the partial rounds, and again after them.
    half_full: usize,
    /// Number of partial rounds, whose S-box changes element 0 only.
    partial: usize,
    /// The round constants, `width` per round.
    round: Vec<Fr>,
    /// The mixing matrix, row by row.
    pub(crate) mds: Vec<Vec<Fr>>,
}

/// Returns the constants of a hash of `inputs` values.
///
/// # Panics
/// If there are no inputs or more than [`MAX_INPUTS`].
pub(crate) fn constants(inputs: usize) -> &'static Constants {
    static CACHE: [OnceLock<Constants>; MAX_INPUTS + 1] =
        [const { OnceLock::new() }; MAX_INPUTS + 1];
    CACHE[inputs].get_or_init(|| Constants::new(inputs + 1))
}

impl Constants {
    fn new(width: usize) -> Self {
        let parameters: PoseidonParameters<Fr> = get_poseidon_parameters(width as u8)
            .expect("circomlib has parameters for widths 2 to 13");
        Self {
            width,
            half_full: parameters.full_rounds / 2,
            partial: parameters.partial_rounds,
            round: parameters.ark,
            mds: parameters.mds,
        }
    }

    /// Returns the state multiplied by the mixing matrix.
    pub(crate) fn mixed(&self, state: &[Fr]) -> Vec<Fr> {
        let dot = |row: &Vec<Fr>| row.iter().zip(state).map(|(a, b)| *a * b).sum();
        self.mds.iter().map(dot).collect()
    }

    /// Returns the indexes of the partial rounds, whose S-box changes element 0 only.
    pub(crate) fn partial_rounds(&self) -> std::ops::Range<usize> {
        self.half_full..self.half_full + self.partial
    }

    /// Returns the indexes of all rounds.
    pub(crate) fn rounds(&self) -> std::ops::Range<usize> {
        0..2 * self.half_full + self.partial
    }

    /// Returns the round constants of a range of rounds.
    pub(crate) fn keys(&self, rounds: std::ops::Range<usize>) -> impl Iterator<Item = &[Fr]> {
        self.round[rounds.start * self.width..rounds.end * self.width].chunks_exact(self.width)
    }
}

/// Returns `x^5`.
pub(crate) fn fifth_power(x: Fr) -> Fr {
    x.square().square() * x
}

/// Hashes 1 to [`MAX_INPUTS`] values.
///
/// # Panics
/// If there are no inputs or too many: arities are fixed by the caller's code.
pub(crate) fn hash(inputs: &[Fr]) -> Fr {
    assert!((1..=MAX_INPUTS).contains(&inputs.len()), "1 to 12 inputs");
    let constants = constants(inputs.len());
    let mut state = vec![Fr::ZERO; constants.width];
    state[1..].copy_from_slice(inputs);
    let partial = constants.partial_rounds();
    for (round, keys) in constants.keys(constants.rounds()).enumerate() {
        for (element, key) in state.iter_mut().zip(keys) {
            *element += key;
        }
        let boxes = if partial.contains(&round) {
            1
        } else {
            constants.width
        };
        for element in &mut state[..boxes] {
            *element = fifth_power(*element);
        }
        state = constants.mixed(&state);
    }
    state[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use light_poseidon::{Poseidon, PoseidonHasher};

    #[test]
    fn agrees_with_circomlib() {
        let expected: Fr = ark_ff::MontFp!(
            "7853200120776062878684798364095072458815029376092732009249414926327459813530"
        );
        assert_eq!(hash(&[Fr::from(1u64), Fr::from(2u64)]), expected);
    }

    #[test]
    fn agrees_with_light_poseidon_at_every_width() {
        for inputs in 1..=MAX_INPUTS {
            let values: Vec<Fr> = (0..inputs as u64).map(|i| -Fr::from(i * i + 1)).collect();
            let reference = Poseidon::<Fr>::new_circom(inputs)
                .unwrap()
                .hash(&values)
                .unwrap();
            assert_eq!(hash(&values), reference, "{inputs} inputs");
        }
    }
}
