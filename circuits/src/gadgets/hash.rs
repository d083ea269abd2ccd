//! The suite's hashes as rows (constraints).

use ark_bn254::Fr;

use super::bits::{decompose, decompose_canonical};
use super::{pedersen, poseidon};
use crate::field::FIELD_BITS;
use crate::r1cs::{Bit, Builder, Num};
use crate::suite::{HashIndex, Suite};

/// A value with its bits, if a rule or a hash needs them.
///
/// The bits represent the integer below the modulus: they are fewer than 254 or
/// checked to be canonical. In the poseidon suite a value without a range has
/// no bits.
#[derive(Clone, Debug)]
pub(crate) struct BitNum {
    pub(crate) num: Num,
    pub(crate) bits: Vec<Bit>,
}

impl BitNum {
    /// Decomposes a value and enforces that it has at most `count` (< 254) bits.
    pub(crate) fn ranged(b: &mut Builder, num: &Num, count: usize) -> Self {
        debug_assert!(count < FIELD_BITS);
        let (num, bits) = (num.clone(), decompose(b, num, count));
        Self { num, bits }
    }

    /// A value that other rules keep below `2^count`. It is decomposed only if
    /// the hash needs bits.
    pub(crate) fn implied(b: &mut Builder, suite: Suite, num: &Num, count: usize) -> Self {
        let bits = match suite {
            Suite::Pedersen => decompose(b, num, count),
            Suite::Poseidon => Vec::new(),
        };
        let num = num.clone();
        Self { num, bits }
    }

    /// Any field element. Pedersen hashes integers, so the bits must be
    /// canonical; Poseidon hashes elements and needs no bits.
    pub(crate) fn element(b: &mut Builder, suite: Suite, num: &Num) -> Self {
        let bits = match suite {
            Suite::Pedersen => decompose_canonical(b, num),
            Suite::Poseidon => Vec::new(),
        };
        let num = num.clone();
        Self { num, bits }
    }
}

/// Whether a hash must exclude the second integer, `v + p`, that 254 bits can
/// represent for an element v.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inputs {
    /// Enforced canonical: required for every hash that becomes an output.
    Canonical,
    /// Not enforced: for folding to a root that was itself made canonically;
    /// another integer would then be a second preimage of the root.
    Free,
}

/// Returns the hash of a Merkle node.
pub(crate) fn node(b: &mut Builder, suite: Suite, children: [&Num; 2], inputs: Inputs) -> Num {
    let [left, right] = children;
    if left.is_constant() && right.is_constant() {
        return Num::constant(suite.node(left.value(), right.value()));
    }
    match suite {
        Suite::Poseidon => {
            // A constant input saves the rows of its first S-box.
            let name = if left.is_constant() || right.is_constant() {
                "poseidon node over a constant"
            } else {
                "poseidon node"
            };
            let inputs = [left.clone(), right.clone()];
            b.gadget(name, |b| poseidon::hash(b, &inputs))
        }
        Suite::Pedersen => {
            let (name, decompose): (_, fn(&mut Builder, &Num) -> Vec<Bit>) = match inputs {
                Inputs::Canonical => ("pedersen node, canonical", decompose_canonical),
                Inputs::Free => ("pedersen node", |b, child| decompose(b, child, FIELD_BITS)),
            };
            b.gadget(name, |b| {
                let bits = [left, right].map(|child| decompose(b, child));
                pedersen::compress(b, 0, &[&bits[0], &bits[1]])
            })
        }
    }
}

/// Returns a note's or nullifier's hash.
pub(crate) fn hash(b: &mut Builder, suite: Suite, index: HashIndex, values: &[&BitNum]) -> Num {
    match suite {
        Suite::Pedersen => {
            let bits: Vec<&[Bit]> = values.iter().map(|word| &word.bits[..]).collect();
            pedersen::compress(b, index as usize, &bits)
        }
        Suite::Poseidon => {
            let inputs: Vec<&Num> = values.iter().map(|word| &word.num).collect();
            tagged(b, index, &inputs)
        }
    }
}

/// Returns a note's or nullifier's hash in the poseidon suite, which needs no bits.
pub(crate) fn tagged(b: &mut Builder, index: HashIndex, values: &[&Num]) -> Num {
    let mut inputs = vec![Num::constant(Fr::from(index as u64))];
    inputs.extend(values.iter().copied().cloned());
    poseidon::hash(b, &inputs)
}
