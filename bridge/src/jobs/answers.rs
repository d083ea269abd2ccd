//! One task per ticket whose answer is known: it sends until Falafel has it.

use std::{collections::HashMap, sync::Arc};

use tokio::sync::Semaphore;
use zkwhirl_ledger::{JobRecord, Ticket};

use super::endings::Endings;
use crate::{
    falafel::{Answer, Client, Rejection, deliver},
    gate::Verified,
    retry::Stopped,
    services::Services,
    tickets::{Callers, LOCAL, Tickets},
};

/// Answers that are on their way to one upstream at once.
const POSTS: usize = 16;

/// Answers tickets.
#[derive(Debug)]
pub(crate) struct Answers {
    services: Services,
    tickets: Arc<Tickets>,
    callers: Arc<Callers>,
    endings: Arc<Endings>,
    upstreams: HashMap<String, Upstream>,
}

/// Where the answers to one upstream go.
#[derive(Debug)]
struct Upstream {
    client: Client,
    posts: Semaphore,
}

impl Answers {
    pub(crate) fn new(
        services: &Services,
        tickets: &Arc<Tickets>,
        callers: &Arc<Callers>,
        endings: &Arc<Endings>,
    ) -> Self {
        let upstreams = services.config.upstreams.iter().map(|upstream| {
            let client = Client::new(upstream.base.clone());
            let posts = Semaphore::new(POSTS);
            (upstream.name.clone(), Upstream { client, posts })
        });
        Self {
            upstreams: upstreams.collect(),
            services: services.clone(),
            tickets: tickets.clone(),
            callers: callers.clone(),
            endings: endings.clone(),
        }
    }

    /// Sends a verified reply to every open ticket of a job.
    pub(super) async fn reply(
        self: &Arc<Self>,
        job: &JobRecord,
        reply: Verified,
    ) -> Result<(), Stopped> {
        if self.answer_all(job, &Answer::Reply(reply)).await? == 0 {
            self.endings.delivered(job.id).await?;
        }
        Ok(())
    }

    /// Sends an operator's rejection to every open ticket of a job; returns how
    /// many there are.
    pub(super) async fn reject(
        self: &Arc<Self>,
        job: &JobRecord,
        rejection: Rejection,
    ) -> Result<usize, Stopped> {
        self.answer_all(job, &Answer::Rejected(rejection)).await
    }

    async fn answer_all(
        self: &Arc<Self>,
        job: &JobRecord,
        answer: &Answer,
    ) -> Result<usize, Stopped> {
        let tickets = self.services.ledger.tickets_of(job.id).await?;
        let count = tickets.len();
        for ticket in tickets {
            if self.tickets.begin_answer(ticket.id) {
                let answering = self.clone().answer(job.clone(), ticket, answer.clone());
                self.services.tasks.spawn(answering);
            }
        }
        Ok(count)
    }

    async fn answer(self: Arc<Self>, job: JobRecord, ticket: Ticket, answer: Answer) {
        let (this, id, record) = (self.clone(), ticket.id, job.id);
        let send = async move { this.send(&job, &ticket, &answer).await };
        if let Err(panic) = self.services.tasks.item("answer", send).await {
            // The ticket counts as answered by this process, so that the next
            // comparison does not run into the same panic. Its lease is kept.
            tracing::error!(job = %record, ticket = %id, "{panic}: the ticket is parked");
            return;
        }
        self.tickets.end_answer(id);
    }

    async fn send(&self, job: &JobRecord, ticket: &Ticket, answer: &Answer) -> Result<(), Stopped> {
        let local = ticket.upstream == LOCAL;
        if local {
            self.callers.answer(ticket.id, answer);
        } else if let Some(upstream) = self.upstreams.get(&ticket.upstream) {
            // The semaphore is never closed.
            let _permit = upstream.posts.acquire().await;
            let retry = &self.services.retry;
            deliver(&upstream.client, ticket.id, answer, retry).await?;
        } else {
            // The next comparison closes it.
            return Ok(());
        }
        let journal = &self.services.journal;
        match answer {
            Answer::Reply(_) => journal.delivered(job, ticket.id),
            Answer::Rejected(_) if local => {}
            Answer::Rejected(_) => journal.counters.nacks.one(),
        }
        self.tickets.close(ticket.id);
        let ledger = &self.services.ledger;
        ledger.close_ticket(ticket.id).await?;
        if ledger.tickets_of(job.id).await?.is_empty() {
            self.endings.delivered(job.id).await?;
        }
        Ok(())
    }
}
