//! From Falafel's frames to jobs: tickets are leased first, then taken into
//! the ledger, then their requests are read.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use zkwhirl_job::{Command, Frame, Request, Sizes};

use super::shared::Shared;
use crate::{
    broker::DeadLetter,
    clock,
    events::What,
    falafel::{Link, Sink},
    ledger::{JobRecord, JobState, Note, Taken, Ticket},
};

/// What a request is: provable in principle, or why it can never be.
pub(super) fn admissible(
    command: u32,
    data: &Bytes,
    sizes: Sizes,
) -> Result<Option<Request>, String> {
    match Command::from_code(command) {
        Some(Command::CreateProof) => {
            let request = Request::parse(data).map_err(|error| error.to_string())?;
            request.validate(sizes).map_err(|error| error.to_string())?;
            Ok(Some(request))
        }
        Some(Command::GetJoinSplitVk | Command::GetAccountVk) if data.is_empty() => Ok(None),
        Some(Command::GetJoinSplitVk | Command::GetAccountVk) => Err(format!(
            "the data of a verification key job has {} bytes, must have none",
            data.len()
        )),
        _ => Err(format!(
            "command is {command}, must be 2 (get join-split vk), 3 (get account vk) or 4 (create proof)"
        )),
    }
}

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

    async fn take(&self, link: &Link, frame: Frame) {
        let shared = &self.shared;
        let upstream = &link.upstream.name;
        let admitted = admissible(frame.command, &frame.data, shared.config.sizes);
        let record = JobRecord::of_request(&frame, admitted.as_ref().ok().and_then(Option::as_ref));
        let ticket = Ticket {
            id: frame.ticket,
            upstream: upstream.clone(),
            job: record.id,
            taken_at_ms: clock::now_ms(),
        };
        let ledger = &shared.deps.ledger;
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
        let probe = shared.probes.lock().get(&ticket.upstream).cloned();
        if let Some(probe) = probe {
            probe.notify_one();
            return;
        }
        shared.counters.reissues.one();
        tracing::warn!(
            ticket = %ticket.id.short(),
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
            self.emit(&taken.job, What::Taken { ticket, upstream });
        } else {
            self.counters.joined.one();
            self.emit(&taken.job, What::Joined { ticket, upstream });
        }
    }

    /// Takes a job up again that is taken but not yet in the broker: after a
    /// restart, or on an operator's word.
    pub(super) async fn readmit(self: &Arc<Self>, job: &JobRecord) {
        let ledger = &self.deps.ledger;
        let Some(request) = self
            .insist("read a request", || ledger.request(job.id))
            .await
        else {
            return;
        };
        let request = request.unwrap_or_default();
        match admissible(job.command, &request, self.config.sizes) {
            Err(why) => self.park(job, &why),
            Ok(_) => self.pump(job).await,
        }
    }

    /// Makes a dead letter of a job that no prover should see. Its tickets
    /// stay open.
    pub(super) fn park(self: &Arc<Self>, job: &JobRecord, why: &str) {
        let (shared, job) = (self.clone(), job.clone());
        let reason = DeadLetter::sentence(job.id, why);
        // In the background: the poll must go on while the broker is away.
        self.tasks.spawn(async move {
            shared.bury(&job, &reason).await;
        });
    }

    /// Buries a job with a reason, then says so in the ledger.
    pub(super) async fn bury(&self, job: &JobRecord, reason: &str) -> Option<()> {
        let (broker, ledger) = (&self.deps.broker, &self.deps.ledger);
        let letter = self.letter(job, reason).await?;
        self.insist("bury a job", || broker.bury(&letter)).await?;
        let note = Note::because(reason);
        let from = JobState::ALL;
        let moved = self.insist("note a dead job", || {
            ledger.transition(job.id, &from, JobState::Dead, &note)
        });
        if moved.await? {
            self.counters.parked.one();
            let reason = reason.to_owned();
            self.emit(job, What::Dead { reason });
        }
        Some(())
    }

    /// The dead letter of a job as the ledger knows it.
    pub(super) async fn letter(&self, job: &JobRecord, reason: &str) -> Option<DeadLetter> {
        let ledger = &self.deps.ledger;
        let request = self.insist("read a request", || ledger.request(job.id));
        let request = request.await?.unwrap_or_default();
        let history = self.insist("read attempts", || ledger.attempts(job.id));
        Some(DeadLetter {
            id: job.id,
            kind: job.kind,
            rollup_id: job.rollup_id,
            reason: reason.to_owned(),
            history: history.await?,
            taken_at_ms: job.taken_at_ms,
            died_at_ms: clock::now_ms(),
            payload: self.payload(request),
        })
    }
}

#[cfg(test)]
mod tests {
    use zkwhirl_job::malformed::malformed_cases;

    use super::*;

    fn vector(file: &str) -> Bytes {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/");
        std::fs::read(format!("{root}{file}")).unwrap().into()
    }

    /// Each field of each kind, wrong in each way: refused with the text that
    /// names the field, before any prover sees it.
    #[test]
    fn every_malformed_request_is_refused_by_name() {
        let cases = malformed_cases(&vector);
        assert!(cases.len() > 100, "{} cases", cases.len());
        for case in cases {
            let sizes = case.sizes.unwrap_or(Sizes::new(28, 32).unwrap());
            let command = Command::CreateProof.code();
            let refused = admissible(command, &case.request, sizes).unwrap_err();
            assert_eq!(refused, case.error, "{}", case.name);
        }
    }
}
