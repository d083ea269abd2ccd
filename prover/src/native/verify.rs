//! Verification of native replies, with nothing but the verification keys.

use std::sync::Arc;

use bytes::Bytes;
use zkwhirl_job::{
    Request, Word,
    reply::{NativeProof, fields},
};
use zkwhirl_keystore::KeyStore;

use super::{reading, setting::Setting, statement::Statement, verification_keys::VerificationKeys};

/// Checks replies of the native engine.
#[derive(Debug)]
pub struct NativeVerifier {
    setting: Setting,
    keys: VerificationKeys,
}

impl NativeVerifier {
    /// A verifier of replies at a setting, with the keys of `store`.
    pub fn new(setting: Setting, store: impl Into<Arc<dyn KeyStore>>) -> Self {
        Self {
            setting,
            keys: VerificationKeys::new(store.into()),
        }
    }

    /// Accepts a reply whose published fields and client words are those that
    /// the request demands and whose proofs all verify for them; otherwise says
    /// why not, and which proof it is about.
    pub fn verify(&self, request: &Request, reply: &Bytes) -> Result<(), String> {
        let statement = Statement::of(request, &self.setting).map_err(|error| error.to_string())?;
        let expected = statement.fields();
        let got = fields(reply, expected.len()).ok_or_else(|| {
            format!(
                "the reply has {} bytes, its {} published fields alone are {}",
                reply.len(),
                expected.len(),
                32 * expected.len()
            )
        })?;
        demand("published field", &got, &expected)?;
        let tail =
            NativeProof::parse(&reply[32 * expected.len()..]).map_err(|error| error.to_string())?;
        let claims = match request {
            Request::TxRollup(_) => reading::tx_rollup(&self.setting, &got, &tail),
            _ => reading::claim(&self.setting, &got, &tail),
        };
        let claims = claims.map_err(|error| error.to_string())?;
        demand("word", &tail.words, &statement.words)?;
        claims
            .iter()
            .try_for_each(|claim| self.keys.verify(claim).map_err(|error| error.to_string()))
    }
}

/// Equal words; the first that differs is named.
fn demand(what: &str, got: &[Word], expected: &[Word]) -> Result<(), String> {
    if got.len() != expected.len() {
        let (got, expected) = (got.len(), expected.len());
        return Err(format!("{got} {what}s, the request demands {expected}"));
    }
    let mut pairs = got.iter().zip(expected).enumerate();
    match pairs.find(|(_, (got, expected))| got != expected) {
        Some((place, (got, expected))) => Err(format!(
            "{what} {place} is {got}, the request demands {expected}"
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
