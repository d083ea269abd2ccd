//! Tickets that wait for a job which is known: they join it, or are answered
//! from its stored result.

use std::sync::Arc;

use super::{shared::Shared, verify::Verified};
use zkwhirl_ledger::{JobRecord, JobState, Note};

impl Shared {
    /// Brings a job on its way that a ticket has just been taken for.
    pub(super) async fn join(self: &Arc<Self>, job: &JobRecord) {
        match job.state {
            JobState::Taken => self.pump(job).await,
            JobState::Proved | JobState::Delivered => {
                let (shared, job) = (self.clone(), job.clone());
                // In the background: verifying takes time, the poll must go on.
                self.tasks.spawn(async move {
                    shared.answer_from_store(&job).await;
                });
            }
            // Its result will answer this ticket as well.
            JobState::Queued | JobState::Claimed | JobState::Proving | JobState::Retrying => {}
            // Parked: an operator replays or rejects it, for all its tickets.
            JobState::Dead => {}
            // The ledger starts these again when a ticket is taken.
            JobState::Rejected | JobState::Withdrawn => {}
        }
    }

    /// Answers everybody who waits for a proved job. A result that is gone or
    /// does not verify any more is proved again.
    pub(super) async fn answer_from_store(self: &Arc<Self>, job: &JobRecord) -> Option<()> {
        let ledger = &self.deps.ledger;
        let stored = self.insist("read a result", || ledger.result(job.id));
        let Some(request) = self.request(job).await? else {
            return Some(());
        };
        let verified = match stored.await? {
            None => Err("its result is gone".to_owned()),
            Some(result) => self.verify(job, request, result.reply).await?,
        };
        let waiting = [JobState::Delivered, JobState::Proved];
        match verified {
            Ok(reply) => self.proved(job, &waiting, &reply).await,
            Err(why) => {
                tracing::warn!(job = %job.id, "proved again: {why}");
                self.insist("drop a result", || ledger.drop_result(job.id))
                    .await?;
                let note = Note {
                    attempt: Some(1),
                    ..Note::because(why)
                };
                let moved = self.insist("take a job up again", || {
                    ledger.transition(job.id, &waiting, JobState::Taken, &note)
                });
                if moved.await? {
                    self.pump(job).await;
                }
                Some(())
            }
        }
    }

    /// Notes that a job is proved and answers everybody who waits for it.
    pub(super) async fn proved(
        self: &Arc<Self>,
        job: &JobRecord,
        from: &[JobState],
        reply: &Verified,
    ) -> Option<()> {
        let ledger = &self.deps.ledger;
        let note = Note::default();
        // False: it is proved already.
        self.insist("note a proved job", || {
            ledger.transition(job.id, from, JobState::Proved, &note)
        })
        .await?;
        self.answer_all(job, reply).await
    }
}
