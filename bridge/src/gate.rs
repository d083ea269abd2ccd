//! The gate that every reply passes before it leaves for Falafel.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use zkwhirl_job::{Kind, reply::NotVerified};

/// Checks a reply before it leaves for Falafel. It may take its time: it is
/// called on a thread for blocking work. A panic counts as a refusal.
pub trait ReplyVerifier: Send + Sync {
    /// `Err` says why the reply is not accepted, and whether a later look may
    /// accept it.
    fn verify(&self, kind: Kind, request: &Bytes, reply: &Bytes) -> Result<(), NotVerified>;
}

impl fmt::Debug for dyn ReplyVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplyVerifier")
    }
}

/// A reply that passed the gate; never empty. Only [`Gate::check`] makes one,
/// and an answer with a reply is made of nothing else.
#[derive(Debug, Clone)]
pub(crate) struct Verified {
    reply: Bytes,
    digest: [u8; 32],
}

impl Verified {
    pub(crate) fn reply(&self) -> &Bytes {
        &self.reply
    }

    /// The reply's SHA-256.
    pub(crate) fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

/// The gate.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    verifier: Arc<dyn ReplyVerifier>,
}

impl Gate {
    pub(crate) fn new(verifier: Arc<dyn ReplyVerifier>) -> Self {
        Self { verifier }
    }

    /// Verifies the reply to a request.
    pub(crate) async fn check(
        &self,
        kind: Kind,
        request: Bytes,
        reply: Bytes,
    ) -> Result<Verified, NotVerified> {
        let verifier = self.verifier.clone();
        let checked = tokio::task::spawn_blocking(move || {
            check_length(kind, &reply)?;
            verifier.verify(kind, &request, &reply)?;
            let digest = Sha256::digest(&reply).into();
            Ok(Verified { reply, digest })
        });
        let panicked = |_| Err(NotVerified::refused("the verifier panicked over it"));
        checked.await.unwrap_or_else(panicked)
    }
}

fn check_length(kind: Kind, reply: &Bytes) -> Result<(), NotVerified> {
    let limit = kind.reply_limit();
    let bytes = reply.len();
    match bytes {
        // Falafel would read past its end.
        0 => Err(NotVerified::refused(format_args!(
            "the reply to a {kind} job is empty"
        ))),
        _ if bytes > limit => Err(NotVerified::refused(format_args!(
            "a {kind} reply has {bytes} bytes, the limit is {limit}"
        ))),
        _ => Ok(()),
    }
}
