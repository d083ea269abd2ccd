//! Verification keys: decoded with all checks, and prepared for pairings.

use ark_bn254::Bn254;
use ark_groth16::{PreparedVerifyingKey, VerifyingKey};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize, SerializationError};
use zkwhirl_keystore::{KeyError, KeyFile};

/// A prepared verification key, with the digest that proofs name.
#[derive(Debug, Clone)]
pub struct VerificationKey {
    /// BLAKE3 of the compressed key.
    pub digest: [u8; 32],
    pub(crate) prepared: PreparedVerifyingKey<Bn254>,
}

/// Why bytes are not a verification key. The message is the predicate of "the
/// verification key".
#[derive(Debug, thiserror::Error)]
pub enum VerificationKeyError {
    /// The bytes encode no key, or a point is outside its group.
    #[error("cannot be read: {0}")]
    Encoding(#[from] SerializationError),
    /// The key does not have exactly one public input.
    #[error("has {0} points for the constant and the public input, must have 2")]
    Inputs(usize),
}

impl VerificationKey {
    /// Loads the verification key of a key file, with all checks.
    pub fn load(file: &KeyFile) -> Result<Self, KeyError> {
        Self::parse(file.vk()).map_err(|problem| {
            KeyError::damaged(file.path(), format!("its verification key {problem}"))
        })
    }

    /// Encodes the compressed key: the bytes that [`VerificationKey::parse`] reads,
    /// and whose BLAKE3 is the digest.
    pub fn to_bytes(&self) -> Vec<u8> {
        vk_bytes(&self.prepared.vk)
    }

    /// Reads a verification key, with all checks.
    pub fn parse(bytes: &[u8]) -> Result<Self, VerificationKeyError> {
        let key = VerifyingKey::deserialize_compressed(bytes)?;
        let inputs = key.gamma_abc_g1.len();
        if inputs != 2 {
            return Err(VerificationKeyError::Inputs(inputs));
        }
        Ok(Self {
            digest: *blake3::hash(bytes).as_bytes(),
            prepared: ark_groth16::prepare_verifying_key(&key),
        })
    }
}

/// Encodes a verification key as in a key file: compressed.
pub(crate) fn vk_bytes(vk: &VerifyingKey<Bn254>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let written = vk.serialize_compressed(&mut bytes);
    written.expect("writing to a vector does not fail");
    bytes
}
