//! The gate that every reply passes before it leaves for Falafel.

use std::{fmt::Debug, sync::Arc};

use bytes::Bytes;
use zkwhirl_job::{Kind, reply::NotVerified};
use zkwhirl_ledger::StoredResult;

/// Verifies a reply before it is sent to Falafel. The call may block: it runs on a
/// thread for blocking work. A panic counts as a refusal.
pub trait ReplyVerifier: Debug + Send + Sync {
    /// Verifies a reply. `Err`: why the reply is not accepted, and whether a later try
    /// may accept it.
    fn verify(&self, kind: Kind, request: &Bytes, reply: &Bytes) -> Result<(), NotVerified>;
}

/// A result whose reply passed the gate; the reply is never empty. Only [`check`] makes
/// this type, and an answer with a reply is made only from this type.
#[derive(Debug, Clone)]
pub(crate) struct Verified(StoredResult);

impl Verified {
    pub(crate) fn result(&self) -> &StoredResult {
        &self.0
    }
}

/// Verifies a result of a job of this kind and request.
pub(crate) async fn check(
    verifier: &Arc<dyn ReplyVerifier>,
    kind: Kind,
    request: Bytes,
    result: &StoredResult,
) -> Result<Verified, NotVerified> {
    let (verifier, result) = (verifier.clone(), result.clone());
    let checked = tokio::task::spawn_blocking(move || {
        check_length(kind, &result.reply)?;
        verifier.verify(kind, &request, &result.reply)?;
        Ok(Verified(result))
    });
    let panicked = |_| Err(NotVerified::refused("the verifier panicked over it"));
    checked.await.unwrap_or_else(panicked)
}

fn check_length(kind: Kind, reply: &Bytes) -> Result<(), NotVerified> {
    let limit = kind.reply_limit();
    match reply.len() {
        // Falafel would read beyond the reply's end.
        0 => Err(NotVerified::refused(format_args!(
            "the reply to a {kind} job is empty"
        ))),
        bytes if bytes > limit => Err(NotVerified::refused(format_args!(
            "a {kind} reply has {bytes} bytes, the limit is {limit}"
        ))),
        _ => Ok(()),
    }
}
