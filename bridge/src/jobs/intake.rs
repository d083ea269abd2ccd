//! From Falafel's frames to jobs: tickets are leased first, then taken into
//! the ledger, then their requests are read.

use async_trait::async_trait;
use zkwhirl_job::{Frame, JobId, Request, clock};
use zkwhirl_ledger::{JobRecord, JobState, Taken, Ticket};

use super::{
    admission::{self, admit},
    connect::Jobs,
};
use crate::{
    falafel::{Link, Predecessor, Sink},
    journal::Death,
    retry::Stopped,
};

/// Takes the frames of all upstreams.
#[derive(Debug, Clone)]
pub(crate) struct Intake {
    pub(crate) jobs: Jobs,
}

#[async_trait]
impl Sink for Intake {
    fn seen(&self, link: &Link, frame: &Frame) {
        // Before anything that can fail or wait: 5 s are left.
        self.jobs.tickets.arrived(frame.ticket, &link.upstream.name);
    }

    async fn take(&self, link: &Link, frame: Frame, predecessor: Predecessor) {
        let upstream = link.upstream.name.clone();
        let (this, same) = (self.clone(), frame.clone());
        let work = async move { this.take_ticket(same, upstream, predecessor).await };
        // `Err`: the bridge stops, and Falafel issues the ticket again.
        if let Err(panic) = self.jobs.services.tasks.item("ticket", work).await {
            let upstream = link.upstream.name.clone();
            let _ = self.park_ticket(frame, upstream, panic.to_string()).await;
        }
    }
}

impl Intake {
    async fn take_ticket(
        &self,
        mut frame: Frame,
        upstream: String,
        predecessor: Predecessor,
    ) -> Result<(), Stopped> {
        let mut record = admission::record(&mut frame);
        let admitted = admit(&record, &frame.data, self.jobs.services.config.sizes);
        if let Ok(Some(request)) = &admitted {
            record.rollup_id = Request::rollup_id(request);
        }
        let ledger = self.jobs.services.ledger.once();
        if let Err(error) = ledger.upload(&record, &frame.data).await {
            tracing::debug!(job = %record.id.short(), "the request was not stored ahead of its ticket: {error}");
        }
        predecessor.taken().await;
        let taken = self.enter_ledger(&frame, &record, upstream).await?;
        match admitted {
            Err(why) if taken.job.state == JobState::Taken => {
                self.jobs
                    .dispatch
                    .park(&taken.job, why.to_string(), Death::Request);
            }
            _ => self.jobs.dispatch.join(&taken.job).await,
        }
        Ok(())
    }

    /// Makes a dead letter of a ticket's job over which the bridge panicked.
    /// The request is not looked at again.
    async fn park_ticket(
        &self,
        mut frame: Frame,
        upstream: String,
        why: String,
    ) -> Result<(), Stopped> {
        tracing::error!(ticket = %frame.ticket, "{why}");
        let record = admission::record(&mut frame);
        let taken = self.enter_ledger(&frame, &record, upstream).await?;
        if taken.job.state == JobState::Taken {
            self.jobs.dispatch.park(&taken.job, why, Death::Bridge);
        }
        Ok(())
    }

    async fn enter_ledger(
        &self,
        frame: &Frame,
        record: &JobRecord,
        upstream: String,
    ) -> Result<Taken, Stopped> {
        let ticket = new_ticket(frame, upstream, record.id);
        let ledger = &self.jobs.services.ledger;
        let taken = ledger.take(&ticket, record, &frame.data).await;
        self.jobs.tickets.taken(ticket.id);
        let taken = taken?;
        self.jobs
            .requests
            .remember(&taken.job, &frame.data, taken.new_job);
        if taken.new_ticket {
            self.jobs.services.journal.taken(ticket, &taken);
        } else {
            self.issued_again(&ticket);
        }
        Ok(taken)
    }

    /// Falafel issued an open ticket again: its lease was nearly lost, was let
    /// lapse on purpose, or its bridge died. The ticket is pinged already and is
    /// no new work, but its bridge may have died before it published the job.
    fn issued_again(&self, ticket: &Ticket) {
        if self.jobs.tickets.issued_again(ticket.id) {
            return;
        }
        self.jobs.services.journal.counters.reissues.one();
        tracing::warn!(
            ticket = %ticket.id,
            upstream = ticket.upstream,
            worst_gap = ?self.jobs.tickets.lease_stats().worst_gap(),
            "falafel issued an open ticket again: its lease had lapsed"
        );
    }
}

/// The ticket of a frame that is taken now.
pub(super) fn new_ticket(frame: &Frame, upstream: String, job: JobId) -> Ticket {
    Ticket {
        id: frame.ticket,
        upstream,
        job,
        taken_at_ms: clock::now_ms(),
    }
}
