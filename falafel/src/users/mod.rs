//! Users' transactions: their proofs, and the receiver that verifies them.

mod mock;
mod receiver;

use std::fmt::Debug;

use bytes::Bytes;
use zkwhirl_circuits::client::ClientWitness;
use zkwhirl_job::{reply::NotVerified, request::ClientProof};

pub use mock::MockProofs;
pub(crate) use mock::{TAIL_BYTES, tail as mock_tail};
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
