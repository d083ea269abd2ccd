//! The suite's hashes in rows.

use ark_bn254::Fr;

use super::bits::{decompose, decompose_canonical};
use super::{pedersen, poseidon};
use crate::field::FIELD_BITS;
use crate::r1cs::{Bit, Builder, Num};
use crate::suite::{HashIndex, Suite};

/// A value together with its bits, where some rule or hash needs them.
///
/// The bits are those of the one representative below the modulus: either
/// fewer than 254, or checked to be canonical. In the poseidon suite values
/// without a range have no bits.
#[derive(Clone, Debug)]
pub(crate) struct BitNum {
    pub(crate) num: Num,
    pub(crate) bits: Vec<Bit>,
}

impl BitNum {
    /// A value of fewer than 254 bits: checks the range.
    pub(crate) fn ranged(b: &mut Builder, num: &Num, count: usize) -> Self {
        debug_assert!(count < FIELD_BITS);
        let (num, bits) = (num.clone(), decompose(b, num, count));
        Self { num, bits }
    }

    /// A value that other rules keep below `2^count`: bits only where the
    /// hash needs them.
    pub(crate) fn implied(b: &mut Builder, suite: Suite, num: &Num, count: usize) -> Self {
        let bits = match suite {
            Suite::Pedersen => decompose(b, num, count),
            Suite::Poseidon => Vec::new(),
        };
        let num = num.clone();
        Self { num, bits }
    }

    /// Any field element. Pedersen hashes integers, so the bits must be
    /// canonical; Poseidon hashes elements and needs none.
    pub(crate) fn element(b: &mut Builder, suite: Suite, num: &Num) -> Self {
        let bits = match suite {
            Suite::Pedersen => decompose_canonical(b, num),
            Suite::Poseidon => Vec::new(),
        };
        let num = num.clone();
        Self { num, bits }
    }
}

/// Whether a folding must rule out the second integer, `v + p`, that 254 bits
/// can spell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inputs {
    /// Checked: for every hash that becomes an output.
    Canonical,
    /// Not checked: for folding to a root that was itself made canonically,
    /// where another integer would be a second preimage of it.
    Free,
}

/// A Merkle node.
pub(crate) fn node(b: &mut Builder, suite: Suite, children: [&Num; 2], inputs: Inputs) -> Num {
    let [left, right] = children;
    if left.is_constant() && right.is_constant() {
        return Num::constant(suite.node(left.value(), right.value()));
    }
    match suite {
        Suite::Poseidon => {
            // A constant saves its first S-box.
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

/// A note or nullifier hash.
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

/// A note or nullifier hash of the poseidon suite: no bits are needed.
pub(crate) fn tagged(b: &mut Builder, index: HashIndex, values: &[&Num]) -> Num {
    let mut inputs = vec![Num::constant(Fr::from(index as u64))];
    inputs.extend(values.iter().copied().cloned());
    poseidon::hash(b, &inputs)
}
