//! Replies that cannot be verified yet, in memory.

use std::time::Duration;

use zkwhirl_job::{JobId, clock};

use crate::{StoredResult, UNVERIFIED, UNVERIFIED_TTL, UnverifiedReply};

/// The unverified replies, oldest first.
#[derive(Debug, Default)]
pub(super) struct UnverifiedReplies(Vec<(JobId, UnverifiedReply)>);

impl UnverifiedReplies {
    pub(super) fn keep(&mut self, job: JobId, result: &StoredResult) {
        self.sweep();
        let result = result.clone();
        if let Some((_, kept)) = self.0.iter_mut().find(|(other, _)| *other == job) {
            kept.result = result;
            return;
        }
        if self.0.len() == UNVERIFIED {
            self.0.remove(0);
        }
        let since_ms = clock::now_ms();
        self.0.push((job, UnverifiedReply { since_ms, result }));
    }

    pub(super) fn get(&mut self, job: JobId) -> Option<UnverifiedReply> {
        self.sweep();
        let kept = self.0.iter().find(|(other, _)| *other == job);
        kept.map(|(_, kept)| kept.clone())
    }

    pub(super) fn jobs(&mut self) -> Vec<JobId> {
        self.sweep();
        self.0.iter().map(|(job, _)| *job).collect()
    }

    pub(super) fn drop(&mut self, job: JobId) {
        self.0.retain(|(other, _)| *other != job);
    }

    fn sweep(&mut self) {
        let now = clock::now_ms();
        let age = |since| Duration::from_millis(now.saturating_sub(since));
        self.0
            .retain(|(_, kept)| age(kept.since_ms) < UNVERIFIED_TTL && kept.result.is_intact());
    }
}
