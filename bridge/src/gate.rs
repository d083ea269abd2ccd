//! The gate that every reply passes before it leaves.

use bytes::Bytes;
use sha2::{Digest, Sha256};
use zkwhirl_job::{Kind, limits};

use super::shared::Shared;
use zkwhirl_ledger::JobRecord;

/// A reply that passed the gate. **Nothing else can be sent as an answer**, and
/// nothing else makes one.
#[derive(Debug, Clone)]
pub(super) struct Verified {
    reply: Bytes,
    digest: [u8; 32],
}

impl Verified {
    pub(super) fn reply(&self) -> &Bytes {
        &self.reply
    }

    pub(super) fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

impl Shared {
    /// Verifies a reply to a job. The outer `None`: the bridge stops.
    pub(super) async fn verify(
        &self,
        job: &JobRecord,
        request: Bytes,
        reply: Bytes,
    ) -> Option<Result<Verified, String>> {
        let Some(kind) = job.kind else {
            return Some(Err("the job is of no known kind".into()));
        };
        let verifier = self.deps.verifier.clone();
        let verdict = tokio::task::spawn_blocking(move || {
            check_length(kind, &reply)?;
            verifier
                .verify(kind, &request, &reply)
                .map_err(|error| error.to_string())?;
            let digest = Sha256::digest(&reply).into();
            Ok(Verified { reply, digest })
        });
        let verdict = verdict.await;
        Some(verdict.unwrap_or_else(|_| Err("the verifier panicked over it".into())))
    }
}

fn check_length(kind: Kind, reply: &Bytes) -> Result<(), String> {
    let limit = match kind {
        Kind::JoinSplitVk | Kind::AccountVk => limits::VK_BYTES,
        _ => limits::REPLY_BYTES,
    };
    if reply.is_empty() {
        return Err(format!("the reply to a {kind} job is empty"));
    }
    if reply.len() > limit {
        let bytes = reply.len();
        return Err(format!(
            "a {kind} reply has {bytes} bytes, the limit is {limit}"
        ));
    }
    Ok(())
}
