//! What a job needs next, by its state.

use std::{future::Future, sync::Arc};

use zkwhirl_job::{JobId, reply::NotVerified};
use zkwhirl_ledger::{JobRecord, JobState, Note};

use super::{
    admission::admit,
    answers::Answers,
    client_vks::KnownVks,
    endings::Endings,
    publisher::Publisher,
    requests::Requests,
    results::{Maker, Results, Verdict},
    unverified::Unverified,
};
use crate::{falafel::Rejection, journal::Death, retry::Stopped, services::Services};

/// Brings jobs on their way.
#[derive(Debug)]
pub(crate) struct Dispatch {
    pub(crate) services: Services,
    pub(crate) requests: Arc<Requests>,
    pub(crate) publisher: Arc<Publisher>,
    pub(crate) results: Arc<Results>,
    pub(crate) unverified: Arc<Unverified>,
    pub(crate) answers: Arc<Answers>,
    pub(crate) endings: Arc<Endings>,
    pub(crate) client_vks: Arc<KnownVks>,
}

impl Dispatch {
    /// Brings a job on its way for which a ticket has just been taken.
    pub(super) async fn join(self: &Arc<Self>, job: &JobRecord) {
        match job.state {
            JobState::Taken => self.publish(job).await,
            JobState::Proved | JobState::Delivered => {
                let (this, record) = (self.clone(), job.clone());
                // In the background: verifying takes time, the poll must go on.
                self.in_background(job.id, async move { this.answer_from_store(&record).await });
            }
            // Its result will answer this ticket as well.
            JobState::Queued | JobState::Claimed | JobState::Proving | JobState::Retrying => {}
            // Parked: an operator replays or rejects it, for all its tickets.
            JobState::Dead => {}
            // The ledger starts these again when a ticket is taken.
            JobState::Rejected | JobState::Withdrawn => {}
        }
    }

    /// Publishes a job. A verification key that is known is answered instead.
    pub(crate) async fn publish(self: &Arc<Self>, job: &JobRecord) {
        if !self.client_vks.may_know(job) {
            self.publisher.queue(job).await;
            return;
        }
        let (this, record) = (self.clone(), job.clone());
        // In the background: the look may take time, the poll must go on.
        self.in_background(job.id, async move {
            if !this.client_vks.answer(&record).await? {
                this.publisher.queue(&record).await;
            }
            Ok(())
        });
    }

    /// Makes a dead letter of a job that no prover should see, in the
    /// background: the poll must go on while the broker is away.
    pub(super) fn park(self: &Arc<Self>, job: &JobRecord, why: String, death: Death) {
        let (this, record) = (self.clone(), job.clone());
        self.in_background(job.id, async move {
            this.endings.bury(&record, &why, death).await
        });
    }

    /// Does what a job's state asks for when tickets wait for it: after a
    /// restart, an adoption or a loss.
    pub(crate) async fn carry_on(self: &Arc<Self>, job: &JobRecord) -> Result<(), Stopped> {
        let ledger = &self.services.ledger;
        let waits = job.state == JobState::Dead || JobState::OUTSTANDING.contains(&job.state);
        let vks = &self.client_vks;
        if waits && vks.may_know(job) && vks.answer(job).await? {
            // The key was imported meanwhile.
            return Ok(());
        }
        match job.state {
            JobState::Taken => self.readmit(job).await?,
            JobState::Proved | JobState::Delivered => self.answer_from_store(job).await?,
            JobState::Withdrawn => {
                let note = Note {
                    attempt: Some(1),
                    ..Note::default()
                };
                let from = [JobState::Withdrawn];
                if ledger
                    .transition(job.id, &from, JobState::Taken, &note)
                    .await?
                {
                    self.publish(job).await;
                }
            }
            // An operator rejected it before the bridge restarted.
            JobState::Rejected => {
                if let Some(rejection) = Rejection::of(job) {
                    self.answers.reject(job, rejection).await?;
                }
            }
            JobState::Dead => self.endings.restore_letter(job).await?,
            JobState::Queued | JobState::Claimed | JobState::Proving | JobState::Retrying => {}
        }
        Ok(())
    }

    /// Takes a job up again that is taken and not yet in the broker.
    async fn readmit(self: &Arc<Self>, job: &JobRecord) -> Result<(), Stopped> {
        let Some(request) = self.requests.of(job.id).await? else {
            return Ok(());
        };
        match admit(job, &request, self.services.config.sizes) {
            Err(why) => self.park(job, why.to_string(), Death::Request),
            Ok(_) => self.publish(job).await,
        }
        Ok(())
    }

    /// Answers the tickets of a proved job. A result that is gone or does not
    /// verify any more is proved again.
    async fn answer_from_store(&self, job: &JobRecord) -> Result<(), Stopped> {
        let (results, from) = (&self.results, [JobState::Delivered, JobState::Proved]);
        let Some(stored) = self.services.ledger.result(job.id).await? else {
            let why = "its result is gone";
            return results.prove_again(job, &from, Some(1), why).await;
        };
        let maker = Maker::of_stored(&stored);
        match results.verify(job, stored.reply.clone()).await? {
            Verdict::Verified(verified) => results.proved(job, &from, verified).await,
            Verdict::NotVerified(NotVerified::Refused { reason }) => {
                results.prove_again(job, &from, Some(1), &reason).await
            }
            Verdict::NotVerified(NotVerified::CannotCheck { reason }) => {
                let unverified = &self.unverified;
                unverified.keep(job, stored.reply, &maker, &reason).await
            }
            Verdict::RequestGone => Ok(()),
        }
    }

    /// Work on one job that its caller does not wait for.
    fn in_background(
        self: &Arc<Self>,
        job: JobId,
        work: impl Future<Output = Result<(), Stopped>> + Send + 'static,
    ) {
        let this = self.clone();
        self.services.tasks.spawn(async move {
            let worked = this.services.tasks.item("job", work).await;
            // `Err`: the bridge stops, and the next start takes the job up.
            let _ = this.endings.park_if_panicked(job, worked).await;
        });
    }
}
