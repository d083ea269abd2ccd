//! Verification of signatures as rows (constraints); see [`crate::schnorr`].

use super::bits::{decompose, decompose_canonical, enforce_at_most};
use super::edwards::{EdwardsPoint, multiply, multiply_generator};
use super::hash::tagged;
use crate::r1cs::{Builder, Num};
use crate::schnorr::{SCALAR_BITS, Signature, largest_private_key};
use crate::suite::HashIndex;

/// Returns the public key of a private key, and enforces that the private key
/// is below the subgroup's order: `d` and `d + order` have one public key, and
/// would give one note two nullifiers.
pub(crate) fn public_key(b: &mut Builder, private_key: &Num) -> EdwardsPoint {
    let bits = decompose(b, private_key, SCALAR_BITS);
    let largest = Num::constant(largest_private_key());
    enforce_at_most(b, private_key, &largest, SCALAR_BITS);
    multiply_generator(b, &bits)
}

/// Enforces that a signature of `message` is valid under `key`, a point of the curve.
///
/// The key may have any order: by the usual rewinding argument, a prover who
/// satisfies the rows knows the logarithm of the key's component in the prime
/// subgroup, and only points outside the subgroup share an x-coordinate with a key.
pub(crate) fn enforce_signature(
    b: &mut Builder,
    key: &EdwardsPoint,
    message: &Num,
    with: &Signature,
) {
    let s = b.alloc(with.s);
    let s_bits = decompose(b, &s, SCALAR_BITS);
    let e = b.alloc(with.e);
    // Another representation of e would be another challenge for the same hash.
    let e_bits = decompose_canonical(b, &e);
    let response = multiply_generator(b, &s_bits);
    let keyed = multiply(b, &e_bits, key);
    let commitment = EdwardsPoint::add(b, &response, &keyed);
    let inputs = [&commitment.x, &commitment.y, &key.x, &key.y, message];
    let challenge = tagged(b, HashIndex::SignatureChallenge, &inputs);
    b.equal(&challenge, &e);
}
