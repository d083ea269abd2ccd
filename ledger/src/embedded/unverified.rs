//! The replies that cannot be verified yet, in memory.

use std::time::Duration;

use zkwhirl_job::{JobId, clock};

use crate::{StoredResult, UNVERIFIED, UNVERIFIED_TTL, UnverifiedReply};

/// The unverified replies, oldest first.
#[derive(Debug, Default)]
pub(super) struct UnverifiedReplies(Vec<(JobId, UnverifiedReply)>);

impl UnverifiedReplies {
    pub(super) fn keep(&mut self, job: JobId, result: &StoredResult) {
        let (all, result) = (self.swept(), result.clone());
        if let Some((_, kept)) = all.iter_mut().find(|(other, _)| *other == job) {
            kept.result = result;
            return;
        }
        if all.len() == UNVERIFIED {
            all.remove(0);
        }
        let since_ms = clock::now_ms();
        all.push((job, UnverifiedReply { since_ms, result }));
    }

    /// Removes the replies that are too old or do not match their digests, and returns
    /// the others.
    pub(super) fn swept(&mut self) -> &mut Vec<(JobId, UnverifiedReply)> {
        let now = clock::now_ms();
        let age = |since| Duration::from_millis(now.saturating_sub(since));
        self.0
            .retain(|(_, kept)| age(kept.since_ms) < UNVERIFIED_TTL && kept.result.is_intact());
        &mut self.0
    }
}
