//! The proofs and the verification keys of the client circuits.

use zkwhirl_circuits::{StatementKind, client::ClientWitness};
use zkwhirl_keystore::{KeyError, KeyStore};

use super::{Engine, EngineError, ProofReceipt};
use crate::{
    Progress,
    native::{keys::identity, reply::CheckedStatement, setting::client_circuit},
};

impl Engine {
    /// Proves a client's statement and verifies the proof.
    ///
    /// The receipt's reply has the layout of the client proof in a tx: 16 fields of
    /// 32 bytes, then a tail of form
    /// [`NativeForm::Single`](zkwhirl_job::reply::NativeForm::Single).
    pub fn prove_client(
        &mut self,
        client: &ClientWitness,
        report: &(dyn Fn(Progress) + Sync),
    ) -> Result<ProofReceipt, EngineError> {
        self.prove_statement(CheckedStatement::of_client(client)?, report)
    }

    /// The verification key of a client circuit, as the reply to a verification key
    /// job. If the store has no key, a key is made.
    pub fn client_vk(
        &mut self,
        statement: StatementKind,
        report: &(dyn Fn(Progress) + Sync),
    ) -> Result<Vec<u8>, EngineError> {
        let key = self.key(&client_circuit(statement), report)?;
        Ok(key.verifying().to_bytes())
    }
}

/// The verification key of a client circuit, as the reply to a verification key
/// job; `None` if the store has no key.
pub fn client_vk(
    store: &dyn KeyStore,
    statement: StatementKind,
) -> Result<Option<Vec<u8>>, KeyError> {
    let circuit = client_circuit(statement);
    store.verification_key(&identity(&circuit, &circuit.matrices()))
}
