//! From Falafel's frames to jobs: tickets are leased first, then taken into
//! the ledger, then their requests are read.

use std::sync::Arc;

use async_trait::async_trait;
use zkwhirl_job::{Frame, Request};
use zkwhirl_telemetry::catalogue::bridge::SUBMITTED;

use super::{
    counting::{REQUEST, topic_name},
    requests::{self, admit},
    shared::Shared,
};
use crate::falafel::{Link, Sink, Turn};
use zkwhirl_broker_adapter::{DeadClass, DeadLetter};
use zkwhirl_job::clock;
use zkwhirl_ledger::{JobRecord, JobState, Note, Taken, Ticket, events::What};

/// Takes the frames of all upstreams.
#[derive(Debug)]
pub(super) struct Intake {
    pub(super) shared: Arc<Shared>,
}

#[async_trait]
impl Sink for Intake {
    fn seen(&self, link: &Link, frame: &Frame) {
        // Before anything that can fail or wait: 5 s are left.
        self.shared.taking.lock().insert(frame.ticket);
        self.shared.open_lease(frame.ticket, &link.upstream.name);
    }

    async fn take(&self, link: &Link, mut frame: Frame, turn: Turn) {
        let shared = &self.shared;
        let upstream = &link.upstream.name;
        let mut record = requests::record(&mut frame);
        let admitted = admit(&record, &frame.data, shared.config.sizes);
        if let Ok(Some(request)) = &admitted {
            record.rollup_id = Request::rollup_id(request);
        }
        let ledger = &shared.deps.ledger;
        if let Err(error) = ledger.upload(&record, &frame.data).await {
            tracing::debug!(job = %record.id.short(), "not uploaded beforehand: {error}");
        }
        turn.comes().await;
        let ticket = Ticket {
            id: frame.ticket,
            upstream: upstream.clone(),
            job: record.id,
            taken_at_ms: clock::now_ms(),
        };
        let taken = shared.insist("take a ticket into the ledger", || {
            ledger.take(&ticket, &record, &frame.data)
        });
        let taken = taken.await;
        shared.taking.lock().remove(&ticket.id);
        let Some(taken) = taken else {
            return;
        };
        if taken.new_ticket {
            shared.count(ticket, &taken);
        } else {
            self.reissued(&ticket);
        }
        match admitted {
            Err(why) if taken.job.state == JobState::Taken => shared.park(&taken.job, &why),
            _ => shared.join(&taken.job).await,
        }
    }
}

impl Intake {
    /// Falafel issued an open ticket again: its lease was nearly lost, was let
    /// lapse on purpose, or its bridge died. It is pinged already; it is no new
    /// work, but its job may be one that its bridge did not get to publish.
    fn reissued(&self, ticket: &Ticket) {
        let shared = &self.shared;
        let probe = shared.probes.lock().get(&ticket.id).cloned();
        if let Some(probe) = probe {
            probe.notify_one();
            return;
        }
        shared.counters.reissues.one();
        tracing::warn!(
            ticket = %ticket.id,
            upstream = ticket.upstream,
            worst_gap = ?shared.leases.stats().worst_gap(),
            "falafel issued an open ticket again: its lease had lapsed"
        );
    }
}

impl Shared {
    /// Counts a new ticket and says what it came to.
    pub(super) fn count(&self, ticket: Ticket, taken: &Taken) {
        let (ticket, upstream) = (ticket.id, ticket.upstream);
        self.counters.tickets.one();
        if taken.new_job {
            self.counters.jobs.one();
            SUBMITTED.one([topic_name(taken.job.kind)]);
            self.rollups.lock().saw(&taken.job);
            self.traces.lock().begin(&taken.job);
            self.emit(&taken.job, What::Taken { ticket, upstream });
        } else {
            self.counters.joined.one();
            self.emit(&taken.job, What::Joined { ticket, upstream });
        }
    }

    /// Takes a job up again that is taken but not yet in the broker: after a
    /// restart, or on an operator's word.
    pub(super) async fn readmit(self: &Arc<Self>, job: &JobRecord) {
        let Some(Some(request)) = self.request(job).await else {
            return;
        };
        match admit(job, &request, self.config.sizes) {
            Err(why) => self.park(job, &why),
            Ok(_) => self.pump(job).await,
        }
    }

    /// Makes a dead letter of a job that no prover should see. Its tickets
    /// stay open.
    pub(super) fn park(self: &Arc<Self>, job: &JobRecord, why: &str) {
        let (shared, job) = (self.clone(), job.clone());
        let reason = DeadLetter::parked(job.id, why);
        // In the background: the poll must go on while the broker is away.
        self.tasks.spawn(async move {
            shared.bury(&job, &reason, REQUEST).await;
        });
    }

    /// Buries a job with a reason, then says so in the ledger. `why` is the
    /// reason as the metrics know it.
    pub(super) async fn bury(
        &self,
        job: &JobRecord,
        reason: &str,
        why: &'static str,
    ) -> Option<()> {
        let (broker, ledger) = (&self.deps.broker, &self.deps.ledger);
        let Some(letter) = self.letter(job, reason).await? else {
            return Some(());
        };
        self.insist("bury a job", || broker.bury(&letter)).await?;
        let note = Note::because(reason);
        let from = JobState::ALL;
        let moved = self.insist("note a dead job", || {
            ledger.transition(job.id, &from, JobState::Dead, &note)
        });
        if moved.await? {
            self.parked(job.kind, why);
            let reason = reason.to_owned();
            self.emit(job, What::Dead { reason });
        }
        Some(())
    }

    /// The dead letter of a job as the ledger knows it; the inner `None`: it
    /// does not know it any more.
    pub(super) async fn letter(&self, job: &JobRecord, reason: &str) -> Option<Option<DeadLetter>> {
        let ledger = &self.deps.ledger;
        let Some(request) = self.request(job).await? else {
            return Some(None);
        };
        let history = self.insist("read attempts", || ledger.attempts(job.id));
        Some(Some(DeadLetter {
            id: job.id,
            class: DeadClass::Failed,
            kind: job.kind,
            rollup_id: job.rollup_id,
            reason: reason.to_owned(),
            history: history.await?,
            taken_at_ms: job.taken_at_ms,
            died_at_ms: clock::now_ms(),
            payload: self.payload(request),
        }))
    }
}
