//! Users' transactions: their proofs, and the receiver that verifies them.

mod receiver;

use std::fmt::Debug;

use bytes::Bytes;
use zkwhirl_circuits::{client::ClientWitness, field};
use zkwhirl_job::{
    Word,
    reply::NotVerified,
    request::{CLIENT_PROOF_BYTES, ClientProof},
};

pub use receiver::{ClientKeys, TxError, TxPool, TxReceiver};

/// Proves and verifies clients' transactions. Both methods run on a blocking
/// thread and may take seconds.
///
/// The caller of the simulated Falafel supplies the implementation: the world
/// contains the statements of its users, but no prover.
pub trait ClientProofs: Debug + Send + Sync {
    /// Proves a user's transaction. The proof has 16 public inputs and a tail.
    fn prove(&self, witness: &ClientWitness) -> Result<ClientProof, TxError>;

    /// Verifies a transaction's proof; `key` is the reply to the verification
    /// key job of the transaction's circuit.
    fn verify(&self, key: &Bytes, proof: &ClientProof) -> Result<(), NotVerified>;
}

/// Bytes of the original's client proof behind its public inputs.
pub(crate) const TAIL_BYTES: usize = CLIENT_PROOF_BYTES as usize - 16 * 32;
/// The mark in place of a client's PLONK proof.
const MARK: &[u8] = b"simulated client proof, proves nothing; ";

/// Marked proofs of the original's length: for provers that prove nothing,
/// and for the pedersen suite, whose clients prove with PLONK.
#[derive(Debug, Clone, Copy, Default)]
pub struct MockProofs;

impl ClientProofs for MockProofs {
    fn prove(&self, witness: &ClientWitness) -> Result<ClientProof, TxError> {
        let words = witness.published();
        let fields = words.fields();
        Ok(ClientProof {
            public_inputs: std::array::from_fn(|place| Word(field::to_word(&fields[place]))),
            tail: mock_tail(),
        })
    }

    fn verify(&self, _: &Bytes, proof: &ClientProof) -> Result<(), NotVerified> {
        if proof.tail == mock_tail() {
            return Ok(());
        }
        Err(NotVerified::refused("it is no marked proof"))
    }
}

/// The mark, in the length of the original's proof.
pub(crate) fn mock_tail() -> Bytes {
    let tail: Vec<u8> = MARK.iter().copied().cycle().take(TAIL_BYTES).collect();
    tail.into()
}
