//! Keys on Baby Jubjub and Schnorr signatures with a Poseidon challenge, for
//! the clients' statements of the poseidon suite.
//!
//! A signature of a message m under the key A is (s, e) with `e = Poseidon(13,
//! R.x, R.y, A.x, A.y, m)` for `R = s·G + e·A`. A signature is a witness and is
//! never published, so other representations of s do no harm.

use std::fmt;

use ark_bn254::Fr;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ed_on_bn254::{EdwardsAffine, EdwardsProjective, Fr as Scalar};
use ark_ff::PrimeField;

use crate::field;
use crate::suite::{HashIndex, Suite};

/// Length of the prime subgroup's order, and so of private keys, in bits.
pub(crate) const SCALAR_BITS: usize = 251;

/// A private key: an integer below the order of the prime subgroup.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PrivateKey(Scalar);

/// A public key: a point of the prime subgroup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(EdwardsAffine);

/// A Schnorr signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signature {
    /// The response, which fits 251 bits.
    pub s: Fr,
    /// The challenge.
    pub e: Fr,
}

impl PrivateKey {
    /// Returns the key of any 32 bytes: a big-endian integer reduced modulo the order.
    pub fn reduce(bytes: &[u8; 32]) -> Self {
        Self(Scalar::from_be_bytes_mod_order(bytes))
    }

    /// Returns the key as a field element; the integer is below the field's modulus.
    pub fn element(&self) -> Fr {
        to_element(self.0)
    }

    /// Returns the key as 32 big-endian bytes, the form that notes use.
    pub fn to_bytes(&self) -> [u8; 32] {
        field::to_word(&self.element())
    }

    /// Returns the public key.
    pub fn public(&self) -> PublicKey {
        PublicKey(generate(self.0))
    }

    /// Signs a message. The nonce is derived from key and message, so no two messages share one.
    pub fn sign(&self, message: Fr) -> Signature {
        let mut nonce = [0; 64];
        let mut hasher = blake3::Hasher::new_derive_key("zkWhirl Baby Jubjub Schnorr nonce v1");
        hasher.update(&self.to_bytes());
        hasher.update(&field::to_word(&message));
        hasher.finalize_xof().fill(&mut nonce);
        let nonce = Scalar::from_be_bytes_mod_order(&nonce);
        let e = challenge(&generate(nonce), &self.public().0, message);
        let s = to_element(nonce - to_scalar(e) * self.0);
        Signature { s, e }
    }
}

impl PublicKey {
    /// Returns the x-coordinate, which no other key has.
    pub fn x(&self) -> Fr {
        self.0.x
    }

    /// Returns both coordinates, the form that notes use.
    pub fn coordinates(&self) -> (Fr, Fr) {
        (self.0.x, self.0.y)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(secret)")
    }
}

/// Returns whether a field element is a private key without reduction.
pub(crate) fn is_private_key(value: Fr) -> bool {
    value.into_bigint() < Scalar::MODULUS
}

/// Returns the largest private key: the order of the prime subgroup minus one.
pub(crate) fn largest_private_key() -> Fr {
    to_element(-Scalar::from(1u64))
}

/// Returns the point with these coordinates, of any order; `None` off the curve.
pub(crate) fn point(x: Fr, y: Fr) -> Option<EdwardsAffine> {
    let point = EdwardsAffine::new_unchecked(x, y);
    point.is_on_curve().then_some(point)
}

/// Returns `integer·G` for any integer below p.
pub(crate) fn times_generator(integer: Fr) -> EdwardsAffine {
    generate(to_scalar(integer))
}

/// Returns whether a signature is valid under a point of the curve. As in the
/// circuit, the point may have any order.
pub(crate) fn verify(key: EdwardsAffine, message: Fr, signature: &Signature) -> bool {
    let commitment = EdwardsProjective::from(times_generator(signature.s))
        + key.mul_bigint(signature.e.into_bigint());
    challenge(&commitment.into_affine(), &key, message) == signature.e
}

fn challenge(commitment: &EdwardsAffine, key: &EdwardsAffine, message: Fr) -> Fr {
    let inputs = [commitment.x, commitment.y, key.x, key.y, message];
    Suite::Poseidon.hash(HashIndex::SignatureChallenge, &inputs)
}

/// Returns `by·G`.
fn generate(by: Scalar) -> EdwardsAffine {
    let generator = EdwardsAffine::generator();
    generator.mul_bigint(by.into_bigint()).into_affine()
}

fn to_element(scalar: Scalar) -> Fr {
    Fr::from_bigint(scalar.into_bigint()).expect("the subgroup's order is below p")
}

fn to_scalar(value: Fr) -> Scalar {
    Scalar::from_be_bytes_mod_order(&field::to_word(&value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::{AdditiveGroup, BigInteger};

    fn key(seed: u8) -> PrivateKey {
        PrivateKey::reduce(&[seed; 32])
    }

    fn holds(key: PublicKey, message: u64, signature: &Signature) -> bool {
        verify(key.0, Fr::from(message), signature)
    }

    #[test]
    fn a_signature_holds_for_its_key_and_message_alone() {
        let signature = key(7).sign(Fr::from(5u64));
        assert!(holds(key(7).public(), 5, &signature));
        assert!(!holds(key(7).public(), 6, &signature));
        assert!(!holds(key(8).public(), 5, &signature));
        let Signature { s, e } = signature;
        let one = Fr::from(1u64);
        assert!(!holds(key(7).public(), 5, &Signature { s: s + one, e }));
        assert!(!holds(key(7).public(), 5, &Signature { s, e: e + one }));
    }

    #[test]
    fn two_messages_share_no_nonce() {
        let commitment = |message: u64| {
            let Signature { s, e } = key(7).sign(Fr::from(message));
            to_scalar(s) + to_scalar(e) * key(7).0
        };
        assert_ne!(commitment(1), commitment(2));
        assert_eq!(commitment(1), commitment(1));
    }

    #[test]
    fn keys_are_integers_below_the_order() {
        assert_eq!(SCALAR_BITS as u32, Scalar::MODULUS_BIT_SIZE);
        assert_eq!(SCALAR_BITS as u32, Scalar::MODULUS.num_bits());
        assert!(is_private_key(largest_private_key()));
        assert!(!is_private_key(largest_private_key() + Fr::from(1u64)));
        let wide = PrivateKey::reduce(&[0xff; 32]);
        assert_eq!(PrivateKey::reduce(&wide.to_bytes()), wide);
        let public = Suite::Poseidon.owner_key(&wide.to_bytes());
        assert_eq!(public, wide.public().coordinates());
    }

    #[test]
    fn points_off_the_curve_are_refused() {
        let (x, y) = key(3).public().coordinates();
        // The other point with this x differs by the point of order two.
        assert!(point(x, y).is_some() && point(x, -y).is_some());
        assert_eq!(point(x, y + x), None);
        assert_eq!(point(Fr::ZERO, Fr::ZERO), None);
    }
}
