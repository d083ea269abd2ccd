//! Verification of native replies, with nothing but the verification keys.

use std::sync::Arc;

use bytes::Bytes;
use zkwhirl_circuits::{Circuit, Suite};
use zkwhirl_job::{
    Request, Sizes, Word,
    reply::{Bundle, NativeProof, fields},
    request::{RootRollupRequest, RootVerifierRequest, TxRollupRequest},
};
use zkwhirl_keystore::{KeyStore, VkSource};

use super::{
    VerificationKey,
    engine::suite_tag,
    inside::Carried,
    pieces::{self, Piece, VerifyError},
    rollup::Rollup,
    statement::Statement,
    vks::Vks,
};

/// Checks replies of the native engine.
///
/// Keys are looked up in the store when the first reply of their circuit comes,
/// and kept; when a proof names another one, once more.
#[derive(Debug)]
pub struct NativeVerifier {
    suite: Suite,
    sizes: Sizes,
    keys: Vks,
}

impl NativeVerifier {
    /// A verifier of replies at `sizes`, with the keys of `store`.
    pub fn new(suite: Suite, sizes: Sizes, store: impl Into<Arc<dyn KeyStore>>) -> Self {
        Self {
            suite,
            sizes,
            keys: Vks::new(Arc::new(store.into())),
        }
    }

    /// The suite of the replies.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// The circuit's key, for a proof that names one.
    pub(super) fn key(
        &self,
        circuit: &Circuit,
        named: [u8; 32],
    ) -> Result<Arc<VerificationKey>, String> {
        self.keys.key(circuit, named)
    }

    /// Accepts a reply whose published fields are those that the request
    /// demands and whose proofs all verify for them; otherwise says why not.
    pub fn verify(&self, request: &Request, reply: &Bytes) -> Result<(), String> {
        let verified = match request {
            Request::Claim(_) => self.claim(request, reply),
            Request::TxRollup(inner) => self.tx_rollup(request, inner, reply),
            Request::RootRollup(root) => self.root_rollup(request, root, reply),
            Request::RootVerifier(root) => self.root_verifier(root, reply),
        };
        verified.map_err(|error| error.to_string())
    }

    /// Verifies a whole rollup from nothing but its bytes: the reply to a root
    /// rollup or root verifier request, of any size, in this verifier's suite.
    pub fn verify_rollup(&self, buffer: &[u8]) -> Result<Rollup, VerifyError> {
        let bundle = Bundle::parse(buffer).map_err(|error| error.to_string())?;
        self.bundle(&bundle)
    }

    fn claim(&self, request: &Request, reply: &Bytes) -> Result<(), VerifyError> {
        let statement = self.statement(request)?;
        let tail = self.tail(&statement.words(), reply)?;
        if tail.suite != suite_tag(self.suite) {
            return Err(format!("the proof is not of the {} suite", self.suite).into());
        }
        let public_input = statement.public_input();
        let piece = pieces::single("the claim", statement.circuit, public_input, &tail)?;
        pieces::verify_all(&self.keys, &[piece])
    }

    fn tx_rollup(
        &self,
        request: &Request,
        inner: &TxRollupRequest,
        reply: &Bytes,
    ) -> Result<(), VerifyError> {
        let words = self.statement(request)?.words();
        let tail = self.tail(&words, reply)?;
        let parts = pieces::tx_rollup(self.suite, self.sizes.txs_per_inner(), &words, &tail)?;
        let carried = Carried::of(self.suite, inner)?;
        let (words, own) = (carried.words.len(), carried.proofs.len());
        if tail.words.get(..words) != Some(&carried.words[..]) {
            return Err("the words of the txs are not the request's"
                .to_owned()
                .into());
        }
        let (_, proofs) = tail.proofs.split_at(tail.proofs.len() - own);
        if !tail.vks.ends_with(&carried.vks) || proofs != carried.proofs {
            let reason = "the client proofs are not those that the request carries";
            return Err(reason.to_owned().into());
        }
        pieces::verify_all(&self.keys, &parts.pieces)
    }

    fn root_rollup(
        &self,
        request: &Request,
        root: &RootRollupRequest,
        reply: &Bytes,
    ) -> Result<(), VerifyError> {
        let words = self.statement(request)?.words();
        published(&words, reply)?;
        let bundle = self.own_bundle(reply)?;
        if bundle.inners.len() != root.inner_proofs.len() {
            return Err(format!(
                "the bundle has {} inner rollups, the request {}",
                bundle.inners.len(),
                root.inner_proofs.len()
            )
            .into());
        }
        for (at, inner) in root.inner_proofs.iter().enumerate() {
            if bundle.inner_reply(at) != *inner {
                return Err(format!("inner rollup {at} is not the request's").into());
            }
        }
        self.bundle(&bundle).map(drop)
    }

    pub(super) fn root_verifier(
        &self,
        root: &RootVerifierRequest,
        reply: &Bytes,
    ) -> Result<(), VerifyError> {
        let must = &root.root_rollup_reply;
        if reply != must {
            let at = reply.iter().zip(must).position(|(got, must)| got != must);
            let at = at.unwrap_or(reply.len().min(must.len()));
            let reason = format!("the reply differs from the verified rollup at byte {at}");
            return Err(reason.into());
        }
        let bundle = self.own_bundle(reply)?;
        self.bundle(&bundle).map(drop)
    }

    /// A bundle of this verifier's suite and sizes.
    fn own_bundle(&self, reply: &[u8]) -> Result<Bundle, VerifyError> {
        let bundle = Bundle::parse(reply).map_err(|error| error.to_string())?;
        if bundle.sizes != self.sizes {
            let (got, must) = (bundle.sizes, self.sizes);
            return Err(format!("the bundle is of a {got} rollup, must be of {must}").into());
        }
        Ok(bundle)
    }

    /// Verifies proofs of any circuits in one batch; names the first bad one.
    pub(super) fn pieces(&self, pieces: &[Piece]) -> Result<(), VerifyError> {
        pieces::verify_all(&self.keys, pieces)
    }

    /// Everything about a bundle that needs no request.
    fn bundle(&self, bundle: &Bundle) -> Result<Rollup, VerifyError> {
        if bundle.suite != suite_tag(self.suite) {
            return Err(format!("the proofs are not of the {} suite", self.suite).into());
        }
        let rollup = Rollup::read(bundle)?;
        rollup.verify(&self.keys)?;
        Ok(rollup)
    }

    fn statement(&self, request: &Request) -> Result<Statement, VerifyError> {
        let statement = Statement::of(request, self.suite, self.sizes);
        statement.map_err(|error| VerifyError::Reply(error.to_string()))
    }

    /// What follows the words that a reply must start with.
    fn tail(&self, words: &[Word], reply: &Bytes) -> Result<NativeProof, VerifyError> {
        published(words, reply)?;
        let tail = NativeProof::parse(&reply[32 * words.len()..]);
        tail.map_err(|error| VerifyError::Reply(error.to_string()))
    }
}

/// Verifies a whole rollup from nothing but its bytes and verification keys:
/// the final buffer that Falafel publishes, of either suite and of any size.
pub fn verify_rollup(buffer: &[u8], keys: Arc<dyn VkSource>) -> Result<Rollup, VerifyError> {
    let bundle = Bundle::parse(buffer).map_err(|error| error.to_string())?;
    let rollup = Rollup::read(&bundle)?;
    rollup.verify(&Vks::new(keys))?;
    Ok(rollup)
}

/// Demands that a reply starts with some words.
fn published(must: &[Word], reply: &Bytes) -> Result<(), VerifyError> {
    let got = fields(reply, must.len()).ok_or_else(|| {
        format!(
            "the reply has {} bytes, its {} published fields alone are {}",
            reply.len(),
            must.len(),
            32 * must.len()
        )
    })?;
    match (0..must.len()).find(|place| got[*place] != must[*place]) {
        None => Ok(()),
        Some(place) => Err(format!(
            "published field {place} is {}, the request demands {}",
            got[place], must[place]
        )
        .into()),
    }
}
