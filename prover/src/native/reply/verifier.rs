//! Verification of native replies with the verification keys alone.

use std::{fmt::Display, sync::Arc};

use ark_bn254::Fr;
use bytes::Bytes;
use zkwhirl_circuits::{
    StatementKind, Suite,
    client::{CLIENT_FIELDS, client_digest, client_statement},
    field,
};
use zkwhirl_job::{
    Request, Word,
    reply::{Bundle, NativeProof, NotVerified, SuiteTag, fields},
    request::{ClientProof, RootRollupRequest, RootVerifierRequest, field::PROOF_ID},
};
use zkwhirl_keystore::{KeyStore, VkSource};

use super::{
    batch::{BatchEntry, verify_batch},
    client_fields::single_proof,
    reading,
    reply_proof::ReplyProof,
    rollup::VerifiedRollup,
    statement::CheckedStatement,
    verification_keys::VerificationKeys,
};
use crate::native::{
    keys::VerificationKey,
    setting::{Setting, client_circuit, suite_tag},
};

/// Verifies replies of the native engine.
///
/// A bad reply gives [`NotVerified::Refused`]. [`NotVerified::CannotCheck`]
/// means that the keystore does not have the expected key of a circuit, or cannot
/// read the key now.
#[derive(Debug)]
pub struct NativeVerifier {
    /// The suite and the sizes of the replies.
    pub setting: Setting,
    keys: VerificationKeys,
}

impl NativeVerifier {
    /// A verifier of replies in a setting, with the keys of `store`.
    pub fn new(setting: Setting, store: impl Into<Arc<dyn KeyStore>>) -> Self {
        Self::with_keys(setting, Arc::new(store.into()))
    }

    fn with_keys(setting: Setting, source: Arc<dyn VkSource>) -> Self {
        let keys = VerificationKeys::new(source);
        Self { setting, keys }
    }

    /// Accepts `reply` if its published fields and client fields are those of
    /// `request`, and if all proofs verify for these fields.
    pub fn verify(&self, request: &Request, reply: &Bytes) -> Result<(), NotVerified> {
        match request {
            Request::RootRollup(root) => self.root_rollup(request, root, reply),
            Request::RootVerifier(root) => self.root_verifier(root, reply),
            _ => self.fields_and_tail(request, reply),
        }
    }

    /// Verifies a whole rollup of this verifier's setting from its bytes alone: the
    /// reply to a root rollup or root verifier request.
    pub fn verify_rollup(&self, buffer: &[u8]) -> Result<VerifiedRollup, NotVerified> {
        self.rollup(&self.bundle(buffer)?)
    }

    /// Accepts the reply to a verification key job of the poseidon suite if the
    /// reply is the store's key of the client circuit.
    pub fn verify_client_vk(
        &self,
        statement: StatementKind,
        reply: &[u8],
    ) -> Result<(), NotVerified> {
        let circuit = client_circuit(statement);
        let digest = *blake3::hash(reply).as_bytes();
        self.keys
            .expected(&circuit, digest)
            .map_err(|error| match error {
                NotVerified::Refused { .. } => NotVerified::refused(format_args!(
                    "the reply is not the verification key of {circuit}"
                )),
                unknown => unknown,
            })?;
        Ok(())
    }

    /// Verifies proofs that were read from a reply or from a request.
    pub fn verify_proofs(&self, proofs: &[ReplyProof]) -> Result<(), NotVerified> {
        self.keys.verify(proofs)
    }

    fn fields_and_tail(&self, request: &Request, reply: &Bytes) -> Result<(), NotVerified> {
        let statement = self.statement(request)?;
        let got = starts_with(reply, &statement.fields)?;
        let tail = NativeProof::parse(&reply[32 * got.len()..]).map_err(NotVerified::refused)?;
        let proofs = match request {
            Request::TxRollup(_) => reading::tx_rollup(&self.setting, &got, &tail),
            _ => reading::single(&self.setting, statement.parts[0].circuit, &got, &tail),
        };
        let proofs = proofs.map_err(NotVerified::refused)?;
        demand("word", &tail.words, &statement.words)?;
        self.keys.verify(&proofs)
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
            return refuse(format_args!(
                "the bundle has {got} inner rollups, the request {must}"
            ));
        }
        for (at, inner) in root.inner_proofs.iter().enumerate() {
            if bundle.inner_reply(at) != *inner {
                return refuse(format_args!("inner rollup {at} is not the request's"));
            }
        }
        self.rollup(&bundle).map(drop)
    }

    /// Accepts `reply` if it equals the rollup in the request and is a valid rollup.
    fn root_verifier(&self, root: &RootVerifierRequest, reply: &Bytes) -> Result<(), NotVerified> {
        let must = &root.root_rollup_reply;
        if reply != must {
            let at = reply.iter().zip(must).position(|(got, must)| got != must);
            let at = at.unwrap_or(reply.len().min(must.len()));
            return refuse(format_args!(
                "the reply differs from the verified rollup at byte {at}"
            ));
        }
        self.verify_rollup(reply).map(drop)
    }

    fn bundle(&self, reply: &[u8]) -> Result<Bundle, NotVerified> {
        let bundle = Bundle::parse(reply).map_err(NotVerified::refused)?;
        let (suite, sizes) = (self.setting.suite, self.setting.sizes);
        if bundle.suite != suite_tag(suite) {
            return refuse(format_args!("the proofs are not of the {suite} suite"));
        }
        if bundle.sizes != sizes {
            let got = bundle.sizes;
            return refuse(format_args!(
                "the bundle is of a {got} rollup, must be of {sizes}"
            ));
        }
        Ok(bundle)
    }

    /// Verifies a bundle as far as that is possible without the request.
    fn rollup(&self, bundle: &Bundle) -> Result<VerifiedRollup, NotVerified> {
        let rollup = VerifiedRollup::read(bundle, &self.setting)?;
        self.keys.verify(&rollup.proofs)?;
        Ok(rollup)
    }

    fn statement(&self, request: &Request) -> Result<CheckedStatement, NotVerified> {
        CheckedStatement::of(request, &self.setting).map_err(NotVerified::refused)
    }
}

/// Verifies a whole rollup from its bytes and the verification keys alone: the
/// final buffer that Falafel publishes, of either suite and of any size.
pub fn verify_rollup(
    buffer: &[u8],
    keys: Arc<dyn VkSource>,
) -> Result<VerifiedRollup, NotVerified> {
    let bundle = Bundle::parse(buffer).map_err(NotVerified::refused)?;
    let suite = match bundle.suite {
        SuiteTag::Pedersen => Suite::Pedersen,
        SuiteTag::Poseidon => Suite::Poseidon,
    };
    let setting = Setting::new(suite, bundle.sizes, 1 << bundle.domain_log2);
    NativeVerifier::with_keys(setting, keys).rollup(&bundle)
}

/// Verifies a client proof of the poseidon suite under `key`, which is the reply to
/// a verification key job. [`NotVerified::CannotCheck`]: `key` cannot be decoded.
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
        return refuse(format_args!("no statement has the proof id {id}"));
    };
    let (named, proof) =
        single_proof(Suite::Poseidon, &client.tail).map_err(NotVerified::refused)?;
    if key.digest != named {
        return refuse(format_args!(
            "the proof names verification key {}, that of {} is {}",
            hex::encode(&named[..8]),
            client_circuit(statement),
            hex::encode(&key.digest[..8])
        ));
    }
    let entry = BatchEntry {
        key: &key,
        public_input,
        proof: &proof,
    };
    verify_batch(&[entry]).map_err(|bad| NotVerified::refused(bad.problem))
}

/// Reads the published fields of a reply, which must equal `must`.
fn starts_with(reply: &Bytes, must: &[Word]) -> Result<Vec<Word>, NotVerified> {
    let got = fields(reply, must.len()).ok_or_else(|| {
        NotVerified::refused(format_args!(
            "the reply has {} bytes, its {} published fields alone need {}",
            reply.len(),
            must.len(),
            32 * must.len()
        ))
    })?;
    demand("published field", &got, must)?;
    Ok(got)
}

/// Checks that `got` equals `must`; the error names the first different value.
fn demand(what: &str, got: &[Word], must: &[Word]) -> Result<(), NotVerified> {
    if got.len() != must.len() {
        return refuse(format_args!(
            "the reply has {} {what}s, the request demands {}",
            got.len(),
            must.len()
        ));
    }
    let mut pairs = got.iter().zip(must).enumerate();
    match pairs.find(|(_, (got, must))| got != must) {
        Some((place, (got, must))) => refuse(format_args!(
            "{what} {place} is {got}, the request demands {must}"
        )),
        None => Ok(()),
    }
}

fn refuse<T>(reason: impl Display) -> Result<T, NotVerified> {
    Err(NotVerified::refused(reason))
}
