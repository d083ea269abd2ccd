//! The proofs and verification keys of clients' own circuits.

use zkwhirl_circuits::{StatementKind, client::ClientWitness};
use zkwhirl_keystore::{KeyError, KeyStore};

use super::{Engine, EngineError, ProofReceipt};
use crate::{
    Progress,
    native::{keys::identity, reply::CheckedStatement, setting::client_circuit},
};

impl Engine {
    /// Proves a client's own statement and verifies the proof.
    ///
    /// The receipt's reply is the client proof as a tx carries it: 16 fields of
    /// 32 bytes, then a tail of form
    /// [`NativeForm::Single`](zkwhirl_job::reply::NativeForm::Single).
    pub fn prove_client(
        &mut self,
        client: &ClientWitness,
        report: &(dyn Fn(Progress) + Sync),
    ) -> Result<ProofReceipt, EngineError> {
        self.prove_statement(CheckedStatement::of_client(client)?, report)
    }

    /// The verification key of a client circuit, in the bytes of a vk job's
    /// reply. The key is made when the store has none.
    pub fn client_vk(
        &mut self,
        statement: StatementKind,
        report: &(dyn Fn(Progress) + Sync),
    ) -> Result<Vec<u8>, EngineError> {
        let key = self.key(&client_circuit(statement), report)?;
        Ok(key.verifying().to_bytes())
    }
}

/// The verification key of a client circuit, in the bytes of a vk job's reply,
/// if the store has one.
pub fn client_vk(
    store: &dyn KeyStore,
    statement: StatementKind,
) -> Result<Option<Vec<u8>>, KeyError> {
    let circuit = client_circuit(statement);
    store.verification_key(&identity(&circuit, &circuit.matrices()))
}
