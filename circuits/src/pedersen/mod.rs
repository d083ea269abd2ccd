//! Aztec Connect's Pedersen hash over Grumpkin, whose coordinates are BN254 scalars.
//!
//! With `v = Σ v_j 2^j` the hash of one value by generator `k` is the point
//! `H_k(v) = C_k + Σ v_j·Q_{k,j}`: a constant plus one fixed point per set bit.
//! `compress` is the x-coordinate of the sum over all inputs. Zero is an
//! ordinary input, and only the generators separate purposes.

mod generators;
mod native;

pub(crate) use generators::{bit_points, subset_sums};
pub(crate) use native::{commit, nullifier_key};

#[cfg(test)]
pub(crate) use generators::generator;
