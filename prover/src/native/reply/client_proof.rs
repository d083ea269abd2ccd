//! Verification of one client's proof, when its transaction comes in.

use ark_bn254::Fr;
use zkwhirl_circuits::{
    Suite,
    client::{CLIENT_FIELDS, client_digest, client_statement},
    field,
};
use zkwhirl_job::{
    reply::NotVerified,
    request::{ClientProof, field::PROOF_ID},
};

use super::{
    batch::{BatchEntry, verify_batch},
    client_fields::single_proof,
};
use crate::native::{keys::VerificationKey, setting::client_circuit};

/// Accepts a client proof of the poseidon suite under `key`, the reply to a
/// verification key job. [`NotVerified::CannotCheck`]: `key` cannot be read.
pub fn verify_client(key: &[u8], client: &ClientProof) -> Result<(), NotVerified> {
    let key = VerificationKey::parse(key).map_err(|problem| {
        NotVerified::cannot_check(format_args!("the verification key {problem}"))
    })?;
    let mut fields = [Fr::from(0u64); CLIENT_FIELDS];
    for (place, word) in client.public_inputs.iter().enumerate() {
        fields[place] = field::from_word(&word.0).ok_or_else(|| {
            NotVerified::refused(format_args!(
                "public input {place} is not a canonical field element"
            ))
        })?;
    }
    let statement = field::small(&fields[PROOF_ID]).and_then(client_statement);
    let (Some(statement), Some(public_input)) = (statement, client_digest(&fields)) else {
        let id = client.public_inputs[PROOF_ID];
        return Err(NotVerified::refused(format_args!(
            "no statement has the proof id {id}"
        )));
    };
    let (named, proof) =
        single_proof(Suite::Poseidon, &client.tail).map_err(NotVerified::refused)?;
    if key.digest != named {
        return Err(NotVerified::refused(format_args!(
            "it names verification key {}, that of {} is {}",
            hex::encode(&named[..8]),
            client_circuit(statement),
            hex::encode(&key.digest[..8])
        )));
    }
    let entry = BatchEntry {
        key: &key,
        public_input,
        proof: &proof,
    };
    verify_batch(&[entry]).map_err(|bad| NotVerified::refused(bad.problem))
}
