//! Verification of native replies, with nothing but the verification keys.

use std::sync::Arc;

use bytes::Bytes;
use zkwhirl_circuits::{Circuit, Suite};
use zkwhirl_job::{
    Request, Word,
    reply::{Bundle, NativeProof, SuiteTag, fields},
    request::{RootRollupRequest, RootVerifierRequest},
};
use zkwhirl_keystore::{KeyStore, VkSource};

use super::{
    reading::{self, ProofClaim},
    rollup::Rollup,
    statement::Statement,
    verification_keys::{NotVerified, VerificationKeys},
};
use crate::native::{
    keys::VerificationKey,
    setting::{Setting, suite_tag},
};

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
            keys: VerificationKeys::new(Arc::new(store.into())),
        }
    }

    /// Accepts a reply whose published fields and client words are those that
    /// the request demands and whose proofs all verify for them; otherwise says
    /// why not, and which proof it is about.
    pub fn verify(&self, request: &Request, reply: &Bytes) -> Result<(), String> {
        let verified = match request {
            Request::Claim(_) | Request::TxRollup(_) => self.fields_and_tail(request, reply),
            Request::RootRollup(root) => self.root_rollup(request, root, reply),
            Request::RootVerifier(root) => self.root_verifier(root, reply),
        };
        verified.map_err(|error| error.to_string())
    }

    /// Verifies a whole rollup from nothing but its bytes: the reply to a root
    /// rollup or root verifier request of this verifier's setting.
    pub fn verify_rollup(&self, buffer: &[u8]) -> Result<Rollup, NotVerified> {
        self.rollup(&self.bundle(buffer)?)
    }

    /// The suite of the replies.
    pub fn suite(&self) -> Suite {
        self.setting.suite()
    }

    /// The circuit's key, for a proof that names one.
    pub(crate) fn key(
        &self,
        circuit: &Circuit,
        named: [u8; 32],
    ) -> Result<Arc<VerificationKey>, String> {
        self.keys.key(circuit, named)
    }

    /// Verifies proofs that a request carries.
    pub(crate) fn claims(&self, claims: &[ProofClaim]) -> Result<(), NotVerified> {
        self.keys.verify(claims)
    }

    fn fields_and_tail(&self, request: &Request, reply: &Bytes) -> Result<(), NotVerified> {
        let statement = self.statement(request)?;
        let got = starts_with(reply, &statement.fields)?;
        let tail = NativeProof::parse(&reply[32 * got.len()..]).map_err(|e| e.to_string())?;
        let claims = match request {
            Request::TxRollup(_) => reading::tx_rollup(&self.setting, &got, &tail),
            _ => reading::claim(&self.setting, &got, &tail),
        };
        let claims = claims.map_err(|error| error.to_string())?;
        demand("word", &tail.words, &statement.words)?;
        self.keys.verify(&claims)
    }

    fn root_rollup(
        &self,
        request: &Request,
        root: &RootRollupRequest,
        reply: &Bytes,
    ) -> Result<(), NotVerified> {
        starts_with(reply, &self.statement(request)?.fields)?;
        let bundle = self.bundle(reply)?;
        let (got, must) = (bundle.inners.len(), root.inner_proofs.len());
        if got != must {
            return Err(format!("the bundle has {got} inner rollups, the request {must}").into());
        }
        for (at, inner) in root.inner_proofs.iter().enumerate() {
            if bundle.inner_reply(at) != *inner {
                return Err(format!("inner rollup {at} is not the request's").into());
            }
        }
        self.rollup(&bundle).map(drop)
    }

    /// The reply to a root verifier's request is the rollup that it is about.
    pub(crate) fn root_verifier(
        &self,
        root: &RootVerifierRequest,
        reply: &Bytes,
    ) -> Result<(), NotVerified> {
        let must = &root.root_rollup_reply;
        if reply != must {
            let at = reply.iter().zip(must).position(|(got, must)| got != must);
            let at = at.unwrap_or(reply.len().min(must.len()));
            let reason = format!("the reply differs from the verified rollup at byte {at}");
            return Err(reason.into());
        }
        self.verify_rollup(reply).map(drop)
    }

    /// A bundle of this verifier's setting.
    fn bundle(&self, reply: &[u8]) -> Result<Bundle, NotVerified> {
        let bundle = Bundle::parse(reply).map_err(|error| error.to_string())?;
        let (suite, sizes) = (self.setting.suite(), self.setting.sizes());
        if bundle.suite != suite_tag(suite) {
            return Err(format!("the proofs are not of the {suite} suite").into());
        }
        if bundle.sizes != sizes {
            let got = bundle.sizes;
            return Err(format!("the bundle is of a {got} rollup, must be of {sizes}").into());
        }
        Ok(bundle)
    }

    /// Everything about a bundle that needs no request.
    fn rollup(&self, bundle: &Bundle) -> Result<Rollup, NotVerified> {
        let rollup = Rollup::read(bundle, &self.setting)?;
        rollup.verify(&self.keys)?;
        Ok(rollup)
    }

    fn statement(&self, request: &Request) -> Result<Statement, NotVerified> {
        let statement = Statement::of(request, &self.setting);
        statement.map_err(|error| NotVerified::Refused(error.to_string()))
    }
}

/// Verifies a whole rollup from nothing but its bytes and verification keys:
/// the final buffer that Falafel publishes, of either suite and of any size.
pub fn verify_rollup(buffer: &[u8], keys: Arc<dyn VkSource>) -> Result<Rollup, NotVerified> {
    let bundle = Bundle::parse(buffer).map_err(|error| error.to_string())?;
    let suite = match bundle.suite {
        SuiteTag::Pedersen => Suite::Pedersen,
        SuiteTag::Poseidon => Suite::Poseidon,
    };
    let setting = Setting::new(suite, bundle.sizes, 1 << bundle.domain_log2);
    let rollup = Rollup::read(&bundle, &setting)?;
    rollup.verify(&VerificationKeys::new(keys))?;
    Ok(rollup)
}

/// Demands that a reply starts with some words.
fn starts_with(reply: &Bytes, must: &[Word]) -> Result<Vec<Word>, NotVerified> {
    let got = fields(reply, must.len()).ok_or_else(|| {
        format!(
            "the reply has {} bytes, its {} published fields alone are {}",
            reply.len(),
            must.len(),
            32 * must.len()
        )
    })?;
    demand("published field", &got, must)?;
    Ok(got)
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
