//! The replies that cannot be verified yet. Each reply has a lifetime of its own; the
//! index of their jobs is bounded, and each listing removes expired jobs from it.

use redis::{cmd, pipe};
use zkwhirl_job::JobId;

use super::{RedisLedger, frame, items, link::Lane, record::text, scripts::script};
use crate::{LedgerError, StoredResult, UNVERIFIED, UNVERIFIED_TTL, UnverifiedReply};

const NO_ARGUMENTS: [u64; 0] = [];

impl RedisLedger {
    pub(super) async fn keep_unverified(
        &self,
        job: JobId,
        result: &StoredResult,
    ) -> Result<(), LedgerError> {
        let value = frame::seal_result(result);
        let ttl_ms = UNVERIFIED_TTL.as_millis() as u64;
        let args = (job.to_string(), &value[..], ttl_ms, UNVERIFIED);
        let call = self.call(script!("unverified"), args);
        self.number(Lane::Bulk, &call).await.map(drop)
    }

    pub(super) async fn read_unverified(
        &self,
        job: JobId,
    ) -> Result<Option<UnverifiedReply>, LedgerError> {
        let key = format!("v:{job}");
        let Some(opened) = self.sealed_result(&key).await? else {
            return Ok(None);
        };
        let mut score = cmd("ZSCORE");
        score.arg((format!("{}unverified", self.prefix()), job.to_string()));
        let since = self.one(Lane::Quick, &score).await?;
        let since = since.as_ref().and_then(text).and_then(|ms| ms.parse().ok());
        match (opened, since) {
            (Ok(result), Some(since_ms)) => Ok(Some(UnverifiedReply { since_ms, result })),
            // Another caller dropped the reply between the two calls.
            (Ok(_), None) => Ok(None),
            (Err(damage), _) => {
                self.drop_unverified_reply(job).await?;
                self.damaged(&key, damage.damage);
                Ok(None)
            }
        }
    }

    pub(super) async fn list_unverified(&self) -> Result<Vec<JobId>, LedgerError> {
        let call = self.call(script!("unverified_jobs"), &NO_ARGUMENTS);
        let jobs = items(self.ask(Lane::Quick, &call).await?)?;
        let id = |job| text(job).and_then(|job| job.parse().ok());
        Ok(jobs.iter().filter_map(id).collect())
    }

    pub(super) async fn drop_unverified_reply(&self, job: JobId) -> Result<(), LedgerError> {
        let (prefix, mut commands) = (self.prefix(), pipe());
        let entry = (format!("{prefix}unverified"), job.to_string());
        commands.cmd("ZREM").arg(entry);
        commands.cmd("DEL").arg(format!("{prefix}v:{job}"));
        self.commands(&commands).await.map(drop)
    }
}
