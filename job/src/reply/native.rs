//! What follows the published fields in a reply of the native engine.

use bytes::{BufMut, Bytes, BytesMut};

/// Proofs of one reply: an inner rollup may be a chain of them.
pub const MAX_PROOFS: usize = 256;

const MAGIC: [u8; 4] = *b"zkW1";
const PROOF_BYTES: usize = 128;
const HEADER_BYTES: usize = 4 + 1 + 1 + 2 + 32;

/// Which hashes a native statement is about; one byte in a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum SuiteTag {
    /// Aztec Connect's own hashes.
    Pedersen = 0,
    /// Poseidon, circomlib's parameters.
    Poseidon = 1,
}

/// Groth16 proofs over BN254 that stand behind the published fields:
/// `"zkW1" ‖ suite u8 ‖ zero u8 ‖ count u16 ‖ vk digest[32] ‖ count × proof[128]`.
///
/// A proof is A ‖ B ‖ C, each compressed (32, 64, 32 bytes). The digest names
/// the verification key; the verifier's own key must have the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativeProof {
    /// The suite of the statement.
    pub suite: SuiteTag,
    /// BLAKE3 of the verification key.
    pub vk_digest: [u8; 32],
    /// The proofs, at least one.
    pub proofs: Vec<[u8; PROOF_BYTES]>,
}

/// Bytes that are no native proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NativeProofError {
    /// Another length than the header demands.
    #[error("a native proof of {got} bytes must have {must}")]
    Length {
        /// What stands there.
        got: usize,
        /// What the header demands.
        must: usize,
    },
    /// It does not start with the magic bytes.
    #[error("no native proof follows the published fields (it must start with \"zkW1\")")]
    Magic,
    /// A byte of the header has no meaning.
    #[error("a native proof's {field} is {got}, must be {must}")]
    Header {
        /// The header's field.
        field: &'static str,
        /// What stands there.
        got: u32,
        /// What must stand there.
        must: &'static str,
    },
}

impl NativeProof {
    /// The bytes that follow the published fields.
    pub fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(HEADER_BYTES + PROOF_BYTES * self.proofs.len());
        out.put_slice(&MAGIC);
        out.put_u8(self.suite as u8);
        out.put_u8(0);
        out.put_u16(u16::try_from(self.proofs.len()).expect("at most MAX_PROOFS proofs"));
        out.put_slice(&self.vk_digest);
        for proof in &self.proofs {
            out.put_slice(proof);
        }
        out.freeze()
    }

    /// Reads what follows the published fields.
    pub fn parse(bytes: &[u8]) -> Result<Self, NativeProofError> {
        if bytes.len() < HEADER_BYTES {
            return Err(NativeProofError::Length {
                got: bytes.len(),
                must: HEADER_BYTES + PROOF_BYTES,
            });
        }
        let (header, proofs) = bytes.split_at(HEADER_BYTES);
        if header[..4] != MAGIC {
            return Err(NativeProofError::Magic);
        }
        let suite = match header[4] {
            0 => SuiteTag::Pedersen,
            1 => SuiteTag::Poseidon,
            got => return Err(header_error("suite", u32::from(got), "0 or 1")),
        };
        if header[5] != 0 {
            return Err(header_error("reserved byte", u32::from(header[5]), "0"));
        }
        let count = usize::from(u16::from_be_bytes([header[6], header[7]]));
        if count == 0 || count > MAX_PROOFS {
            return Err(header_error(
                "number of proofs",
                count as u32,
                "from 1 to 256",
            ));
        }
        if proofs.len() != count * PROOF_BYTES {
            return Err(NativeProofError::Length {
                got: bytes.len(),
                must: HEADER_BYTES + count * PROOF_BYTES,
            });
        }
        let mut vk_digest = [0; 32];
        vk_digest.copy_from_slice(&header[8..]);
        Ok(Self {
            suite,
            vk_digest,
            proofs: proofs
                .chunks_exact(PROOF_BYTES)
                .map(|proof| proof.try_into().expect("chunks of 128 bytes"))
                .collect(),
        })
    }
}

fn header_error(field: &'static str, got: u32, must: &'static str) -> NativeProofError {
    NativeProofError::Header { field, got, must }
}
