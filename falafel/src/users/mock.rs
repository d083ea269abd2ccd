//! Client proofs that consist of a mark and prove nothing.

use bytes::Bytes;
use zkwhirl_circuits::{client::ClientWitness, field};
use zkwhirl_job::{
    Word,
    reply::NotVerified,
    request::{CLIENT_PROOF_BYTES, ClientProof},
};

use super::{ClientProofs, TxError};

/// Length of the original's client proof after its public inputs, in bytes.
pub(crate) const TAIL_BYTES: usize = CLIENT_PROOF_BYTES as usize - 16 * 32;
/// The mark that replaces a client's PLONK proof.
const MARK: &[u8] = b"simulated client proof, proves nothing; ";

/// Marked proofs of the original's length: for provers that prove nothing, and
/// for the pedersen suite, whose clients prove with PLONK.
#[derive(Debug, Clone, Copy, Default)]
pub struct MockProofs;

impl ClientProofs for MockProofs {
    fn prove(&self, witness: &ClientWitness) -> Result<ClientProof, TxError> {
        let words = witness.published();
        let fields = words.fields();
        Ok(ClientProof {
            public_inputs: std::array::from_fn(|place| Word(field::to_word(&fields[place]))),
            tail: tail(),
        })
    }

    fn verify(&self, _: &Bytes, proof: &ClientProof) -> Result<(), NotVerified> {
        if proof.tail == tail() {
            return Ok(());
        }
        Err(NotVerified::refused("not a simulated client proof"))
    }
}

/// Returns the mark, repeated to the length of the original's proof.
pub(crate) fn tail() -> Bytes {
    let tail: Vec<u8> = MARK.iter().copied().cycle().take(TAIL_BYTES).collect();
    tail.into()
}
