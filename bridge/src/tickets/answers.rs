//! One task per ticket whose answer is known: it sends until Falafel has it.

use std::sync::Arc;

use super::{local::LOCAL, shared::Shared, verify::Verified};
use crate::{
    falafel::{Answer, deliver},
    invariants,
};
use zkwhirl_job::clock;
use zkwhirl_ledger::{JobRecord, JobState, Note, Ticket, events::What};

impl Shared {
    /// Sends a verified reply to every open ticket of a job.
    pub(super) async fn answer_all(
        self: &Arc<Self>,
        job: &JobRecord,
        reply: &Verified,
    ) -> Option<()> {
        debug_assert!(invariants::may_leave(
            reply.reply(),
            Some(reply.digest()),
            reply.digest()
        ));
        let ledger = &self.deps.ledger;
        let tickets = self.insist("list tickets", || ledger.tickets_of(job.id));
        let tickets = tickets.await?;
        if tickets.is_empty() {
            self.finish(job).await?;
        }
        for ticket in tickets {
            self.answer(job, ticket, Answer::Reply(reply.reply().clone()));
        }
        Some(())
    }

    /// Sends an operator's no to every open ticket of a job; how many there
    /// are.
    pub(super) async fn refuse_all(
        self: &Arc<Self>,
        job: &JobRecord,
        reason: &str,
    ) -> Option<usize> {
        let ledger = &self.deps.ledger;
        let tickets = self.insist("list tickets", || ledger.tickets_of(job.id));
        let tickets = tickets.await?;
        let count = tickets.len();
        for ticket in tickets {
            self.answer(job, ticket, Answer::Rejected(reason.to_owned()));
        }
        Some(count)
    }

    /// Starts to answer a ticket, unless that is under way.
    fn answer(self: &Arc<Self>, job: &JobRecord, ticket: Ticket, answer: Answer) {
        if !self.answering.lock().insert(ticket.id) {
            return;
        }
        if matches!(answer, Answer::Rejected(_)) {
            self.counters.rejections.one();
        }
        let (shared, job) = (self.clone(), job.clone());
        self.tasks.spawn(async move {
            shared.send(&job, &ticket, &answer).await;
            shared.answering.lock().remove(&ticket.id);
        });
    }

    async fn send(&self, job: &JobRecord, ticket: &Ticket, answer: &Answer) -> Option<()> {
        let local = ticket.upstream == LOCAL;
        if local {
            self.callers.answer(ticket.id, answer);
        } else {
            self.post(ticket, answer).await?;
        }
        match answer {
            Answer::Reply(_) => {
                self.counters.delivered.one();
                self.rollups.lock().delivered(job, clock::now_ms());
                let ticket = ticket.id;
                self.emit(job, What::Delivered { ticket });
            }
            Answer::Rejected(_) if local => {}
            Answer::Rejected(_) => {
                self.counters.nacks.one();
                debug_assert!(invariants::no_false_alarm(
                    self.counters.nacks.get(),
                    self.counters.rejections.get()
                ));
            }
        }
        self.close_lease(ticket.id);
        let ledger = &self.deps.ledger;
        self.insist("close a ticket", || ledger.close_ticket(ticket.id))
            .await?;
        let left = self.insist("list tickets", || ledger.tickets_of(job.id));
        if left.await?.is_empty() {
            self.finish(job).await?;
        }
        Some(())
    }

    /// Sends until the ticket's server has the answer; `None`: the bridge stops.
    async fn post(&self, ticket: &Ticket, answer: &Answer) -> Option<()> {
        let outlet = self.outlets.get(&ticket.upstream)?;
        let _permit = outlet.posts.acquire().await.ok()?;
        let longest = self.config.timing.longest_pause;
        deliver(&outlet.client, ticket.id, answer, longest, &self.stop)
            .await
            .then_some(())
    }

    /// Everybody who waited for a proved job has its result.
    pub(super) async fn finish(&self, job: &JobRecord) -> Option<()> {
        self.traces.lock().end(job.id);
        let ledger = &self.deps.ledger;
        let note = Note::default();
        let from = [JobState::Proved];
        self.insist("note a delivered job", || {
            ledger.transition(job.id, &from, JobState::Delivered, &note)
        })
        .await
        .map(|_| ())
    }
}
